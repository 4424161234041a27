"""What people do in the demo: an operator's overrides, and agents that are steered and do not obey.

Nothing of it is in the agents' databases: it is written to the demo's store, as the service itself does.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from msgspec import structs
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.demo.issuing import slash_form
from rcmon.demo.odd import DEAF, PLAIN, SILENT
from rcmon.demo.odd.databases import DEAD_FOR
from rcmon.errors import StoreError
from rcmon.model import Override, OverrideChange, SpotChange
from rcmon.store import Store
from rcmon.store.overrides import last_change, make_change, next_change, read_override
from rcmon.store.steering import note_asked, read_asked, read_memory

EVERY = 10.0
"""Seconds from one look at what there is to do to the next."""
ASKS_EVERY = 900
"""Seconds between the questions of an agent."""
HOUR = 3600
CONTROL = "".join(f'[agents.{agent.name}]\nmode = "control"\n' for agent in (DEAF, SILENT))
"""The control file: whom the demo's people steer."""

LOG = logging.getLogger(__name__)


def overrides(now: float) -> Iterator[Override]:
    """Give what the operator has set: one that ends today, one that ends soon, and one that is not obeyed."""
    made = Override(
        site="T3_XX_Draining",
        agent=None,
        state="Draining",
        running=None,
        pending=None,
        mode="until",
        until=now + 6 * HOUR,
        reason="until its storage is moved",
        subject=slash_form("operator"),
        made=now - 20 * HOUR,
        version=0,
    )
    yield made
    yield structs.replace(
        made,
        site="T3_XX_TaskRunningFull",
        state=None,
        running=40,
        until=now + 0.9 * HOUR,
        reason="a test of its batch system",
        made=now - 3 * HOUR,
    )
    yield structs.replace(
        made,
        site=PLAIN.name,
        agent=DEAF.name,
        state=None,
        running=200,
        mode="latched",
        until=None,
        reason="it may fill what others leave",
    )


class People:
    """Does what is due, and leaves to who uses the demo what they changed."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def act(self, now: float) -> None:
        """Do what is due at `now`, seconds since the epoch. Raises StoreError."""
        async with self._store.reading() as connection:
            due = [one for one in overrides(now) if await _is_due(connection, one)]
            asks = await _asks(connection, now)
        if due or asks:
            async with self._store.adding() as connection:
                for one in due:
                    await _set(connection, one, now)
                memory = await read_memory(connection)
                version = memory.standing.version if memory else 0
                for agent, at in asks.items():
                    await note_asked(connection, agent, version, at)


async def _is_due(connection: AsyncConnection, one: Override) -> bool:
    """Tell whether nobody set it yet, or it ended by itself; what a person ended stays so."""
    last = await last_change(connection, one.site, one.agent)
    return last is None or (last.by is None and await read_override(connection, one.site, one.agent) is None)


async def _set(connection: AsyncConnection, one: Override, now: float) -> None:
    number = await next_change(connection)
    made = structs.replace(one, version=number)
    spots = (SpotChange(one.site, one.agent, None, made),)
    await make_change(connection, OverrideChange(number, now, one.subject, "set", spots))


async def _asks(connection: AsyncConnection, now: float) -> dict[str, float]:
    """Tell which agents ask, and when: the silent one did long ago, before anybody looked."""
    asked = {one.agent: one.time for one in await read_asked(connection)}
    asks = {} if SILENT.name in asked else {SILENT.name: now - DEAD_FOR}
    if not 0 <= now - asked.get(DEAF.name, 0.0) < ASKS_EVERY:
        asks[DEAF.name] = now
    return asks


@asynccontextmanager
async def acting(url: URL, owner: str) -> AsyncIterator[None]:
    """Let the demo's people act on the store at `url` meanwhile."""
    store = Store(url, owner)
    task = asyncio.create_task(_act(People(store)))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await store.close()


async def _act(people: People) -> None:
    failed = False
    while True:
        try:
            await people.act(time.time())
            failed = False
        except StoreError as error:
            if not failed:
                LOG.warning("the demo's people cannot reach the store: %s; they try again", error)
            failed = True
        await asyncio.sleep(EVERY)

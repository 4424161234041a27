"""The statements about what agents are steered with. Each runs in its caller's transaction."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

import msgspec
from msgspec import Struct, structs
from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.errors import UNREADABLE, StoreCorruptError
from rcmon.model.steering import (
    AgentControl,
    ControlStanding,
    Decision,
    Effective,
    LastAsked,
    Quarantine,
    Weight,
)
from rcmon.store.notes import add_lost
from rcmon.store.tables import ASKED, CONTROL, QUARANTINE, STEERING, WEIGHT

LOG = logging.getLogger(__name__)
T = TypeVar("T")
P = ParamSpec("P")

_MEMORY = "memory"
_EVERY = ""
"""What stands for every site, where a site's name would stand."""
KEPT_SECONDS = 3600.0
"""How long earlier versions of the documents are kept."""
ENDED_SECONDS = 30 * 86_400.0
"""How long it is kept what became of a quarantine."""
_STANDING = select(QUARANTINE).where(QUARANTINE.c.ended.is_(None)).order_by(QUARANTINE.c.id)
TIMES = 5
"""How many times of asking are kept of each agent."""


class SteeringMemory(Struct, frozen=True):
    """What one cycle leaves to the next, of whatever replica."""

    effective: Effective = Effective()
    standing: ControlStanding = ControlStanding(0, 0.0, None)
    digest: str = ""
    """Hash of the documents of the newest version."""
    harmed: bool = False
    """Whether what was effective before was lost, and no operator released anything since."""


async def read_memory(connection: AsyncConnection) -> SteeringMemory | None:
    """Read what the last cycle left; None: there was none. Raises StoreCorruptError."""
    wanted = select(STEERING.c.body).where(STEERING.c.name == _MEMORY)
    body = (await connection.execute(wanted)).scalar()
    return None if body is None else _decoded(body, SteeringMemory, "what is effective")


async def has_memory(connection: AsyncConnection) -> bool:
    """Tell whether the last cycle left anything, whether it can be read or not."""
    return (
        await connection.execute(select(STEERING.c.name).where(STEERING.c.name == _MEMORY))
    ).first() is not None


async def newest_version(connection: AsyncConnection) -> int:
    """Give the newest version of which documents are kept; 0: there is none."""
    return int((await connection.execute(select(func.max(CONTROL.c.version)))).scalar() or 0)


async def keep_memory(connection: AsyncConnection, memory: SteeringMemory) -> None:
    """Keep what this cycle leaves."""
    await connection.execute(delete(STEERING).where(STEERING.c.name == _MEMORY))
    await connection.execute(insert(STEERING).values(name=_MEMORY, body=msgspec.msgpack.encode(memory)))


async def add_version(
    connection: AsyncConnection, version: int, time: float, agents: Mapping[str, AgentControl]
) -> None:
    """Keep the documents of a version, and forget those of long ago."""
    await connection.execute(delete(CONTROL).where(CONTROL.c.version == version))
    if agents:
        rows = [
            {"version": version, "agent": name, "time": time, "body": msgspec.msgpack.encode(one)}
            for name, one in agents.items()
        ]
        await connection.execute(insert(CONTROL), rows)
    await connection.execute(
        delete(CONTROL).where(CONTROL.c.version < version, CONTROL.c.time < time - KEPT_SECONDS)
    )


async def read_control(connection: AsyncConnection, version: int, agent: str) -> AgentControl | None:
    """Read one agent's document of a version; None: there is none. Raises StoreCorruptError."""
    wanted = select(CONTROL.c.body).where(CONTROL.c.version == version, CONTROL.c.agent == agent)
    body = (await connection.execute(wanted)).scalar()
    return None if body is None else _decoded(body, AgentControl, f"the control document of {agent!r}")


async def read_controls(connection: AsyncConnection, version: int) -> dict[str, AgentControl | None]:
    """Read all documents of a version, by agent; None: it cannot be read."""
    rows = await connection.execute(
        select(CONTROL.c.agent, CONTROL.c.body).where(CONTROL.c.version == version).order_by(CONTROL.c.agent)
    )
    return {
        row.agent: _or_none(_decoded, row.body, AgentControl, f"the control document of {row.agent!r}")
        for row in rows
    }


async def read_quarantines(connection: AsyncConnection) -> tuple[Quarantine, ...]:
    """Read those that stand, in the order of their ids, but for what cannot be read: no word of it counts."""
    rows = await connection.execute(_STANDING)
    return tuple(one for row in rows if (one := _or_none(_quarantine, row)) is not None)


async def read_quarantine(connection: AsyncConnection, name: str) -> tuple[Quarantine, float | None] | None:
    """Read one and when it ended, if it did; None: there is none of that id."""
    row = (await connection.execute(select(QUARANTINE).where(QUARANTINE.c.id == name))).one_or_none()
    return None if row is None else (_quarantine(row), row.ended)


async def keep_quarantines(
    connection: AsyncConnection, standing: Sequence[Quarantine], ended: Iterable[Quarantine], now: float
) -> None:
    """Keep those that stand, and end those that do not; what was decided meanwhile stays decided.

    One that cannot be read ends, whatever was decided of it: nobody knows any more of what.
    """
    for row in (await connection.execute(_STANDING)).all():
        if _or_none(_quarantine, row) is None:
            this = QUARANTINE.c.id == row.id
            await connection.execute(update(QUARANTINE).where(this).values(ended=now))
            await add_lost(connection, f"the quarantine {row.id} cannot be read", now)
    for one in ended:
        await connection.execute(
            update(QUARANTINE)
            .where(QUARANTINE.c.id == one.id, QUARANTINE.c.decision == one.decision)
            .values(ended=now)
        )
    ids = [one.id for one in standing]
    wanted = select(QUARANTINE.c.id, QUARANTINE.c.ended).where(QUARANTINE.c.id.in_(ids))
    known = {row.id: row.ended for row in await connection.execute(wanted)}
    for one in standing:
        if one.id not in known:
            await connection.execute(insert(QUARANTINE).values(_row(one)))
        elif known[one.id] is not None:  # it came back as it was
            this = QUARANTINE.c.id == one.id
            await connection.execute(update(QUARANTINE).where(this).values({**_row(one), "ended": None}))
    held = QUARANTINE.c.decision.in_(("held", "rejected"))
    replaced = QUARANTINE.c.ended.is_(None) & held & QUARANTINE.c.id.not_in(ids)
    await connection.execute(update(QUARANTINE).where(replaced).values(ended=now))
    await connection.execute(delete(QUARANTINE).where(QUARANTINE.c.ended < now - ENDED_SECONDS))


async def decide(
    connection: AsyncConnection, one: Quarantine, decision: Decision, *, now: float, by: str, reason: str
) -> bool:
    """Keep what an operator decided of one that stands as it was seen; tells whether it still did."""
    this = (QUARANTINE.c.id == one.id) & (QUARANTINE.c.decision == one.decision)
    values = {"decision": decision, "decided": now, "who": by, "reason": reason}
    changed = update(QUARANTINE).where(this & QUARANTINE.c.ended.is_(None)).values(values)
    return (await connection.execute(changed)).rowcount > 0


async def read_weights(connection: AsyncConnection) -> tuple[Weight, ...]:
    """Read what operators set, by agent and site."""
    columns = [WEIGHT.c[name] for name in Weight.__struct_fields__]
    rows = await connection.execute(select(*columns).order_by(WEIGHT.c.agent, WEIGHT.c.site))
    return tuple(Weight(row.agent, row.site or None, *row[2:]) for row in rows)


async def keep_weight(connection: AsyncConnection, weight: Weight) -> None:
    """Keep a weight where there is none."""
    values = structs.asdict(weight) | {"site": weight.site or _EVERY}
    await connection.execute(insert(WEIGHT).values(values))


async def end_weight(connection: AsyncConnection, agent: str, site: str | None) -> Weight | None:
    """End what an operator set, so that what is configured holds, and give it; None: there was nothing."""
    before = next(
        (one for one in await read_weights(connection) if (one.agent, one.site) == (agent, site)), None
    )
    await connection.execute(delete(WEIGHT).where(WEIGHT.c.agent == agent, WEIGHT.c.site == (site or _EVERY)))
    return before


async def read_asked(connection: AsyncConnection, agent: str | None = None) -> tuple[LastAsked, ...]:
    """Read who asked when, by agent; or only of one. What cannot be read was not asked."""
    wanted = select(ASKED).order_by(ASKED.c.agent)
    if agent is not None:
        wanted = wanted.where(ASKED.c.agent == agent)
    rows = await connection.execute(wanted)
    return tuple(one for row in rows if (one := _or_none(_asked, row)) is not None)


async def note_asked(connection: AsyncConnection, agent: str, version: int, now: float) -> None:
    """Keep that an agent asked for its states, and of which version its cycle's answers are."""
    known = await read_asked(connection, agent)
    earlier = [time for one in known for time in (one.time, *one.earlier) if time <= now][: TIMES - 1]
    await connection.execute(delete(ASKED).where(ASKED.c.agent == agent))
    await connection.execute(
        insert(ASKED).values(agent=agent, version=version, time=now, earlier=json.dumps(earlier))
    )


def _or_none(read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Read what is in a row; None: it cannot be read."""
    try:
        return read(*args, **kwargs)
    except StoreCorruptError as error:
        LOG.warning("it is left out: %s", error)
        return None


def _asked(row: Row[Any]) -> LastAsked:
    try:
        earlier = msgspec.json.decode(row.earlier, type=tuple[float, ...])
    except (*UNREADABLE, TypeError) as error:
        what = f"when agent {row.agent!r} asked is damaged in the store"
        raise StoreCorruptError(f"{what}: {error}") from error
    return LastAsked(row.agent, row.version, row.time, earlier)


def _quarantine(row: Row[Any]) -> Quarantine:
    found = _decoded(row.body, Quarantine, f"the quarantine {row.id}")
    return structs.replace(
        found,
        decision=row.decision,
        decided=row.decided,
        by=row.who,
        reason=row.reason,
    )


def _row(one: Quarantine) -> dict[str, object]:
    return {
        "id": one.id,
        "opened": one.opened,
        "decision": one.decision,
        "decided": one.decided,
        "who": one.by,
        "reason": one.reason,
        "body": msgspec.msgpack.encode(one),
    }


def _decoded(body: bytes, shape: type[T], what: str) -> T:
    try:
        return msgspec.msgpack.decode(body, type=shape)
    except (*UNREADABLE, TypeError) as error:
        raise StoreCorruptError(f"{what} is damaged in the store: {error}") from error

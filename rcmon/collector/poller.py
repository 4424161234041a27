"""Polling for the replica that collects: what is assigned to this one is polled as if for itself."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.collector.leadership import LASTS
from rcmon.errors import StoreError
from rcmon.process.pause import happens
from rcmon.sources.base import Source, poll_one
from rcmon.store import Store
from rcmon.store.assignments import Assignment, Outcome, announce, assigned, conclude, resign, take
from rcmon.store.codec import pack_batch
from rcmon.version import VERSION

LOG = logging.getLogger(__name__)

RELEASE = VERSION
"""Only replicas of one release poll for each other: another one may read something else."""
LOOK = 0.25
"""Seconds between two looks at what is assigned."""
BEGIN = 2.0
"""Seconds within which a replica takes up what is assigned to it, or is not waited for."""


class Poller:
    """Polls for the replica that collects.

    `replica`: this one's name. `done` takes in, after each poll that was assigned, whether it gave a batch.
    """

    def __init__(self, store: Store, replica: str, done: Callable[[bool], None] = lambda _: None) -> None:
        self._store, self._replica, self._done = store, replica, done
        self.sources: Mapping[str, Source] = {}
        """What can be polled here, by name."""
        self._polls: dict[str, asyncio.Task[None]] = {}
        self._outcomes: list[Outcome] = []
        self._hurry = asyncio.Event()
        self._failing = False

    async def run(self) -> None:
        """Take up what is assigned, for good."""
        while True:
            await self._try_exchange()
            await happens(self._hurry, LOOK)
            self._hurry.clear()

    async def close(self) -> None:
        """Cut off polls that run, and take up nothing more."""
        await self._end([*self._polls])
        with contextlib.suppress(StoreError, TimeoutError):  # it is known without a word, too, in a moment
            async with asyncio.timeout(BEGIN), self._store.exchanging() as connection:
                await resign(connection, self._replica)

    async def _try_exchange(self) -> None:
        try:
            await self._exchange()
        except Exception as error:  # noqa: BLE001 - not even a fault of ours may end what collects
            if not self._failing:
                reason = str(error) or type(error).__name__
                LOG.warning("nothing can be polled for other replicas: %s", reason)
            self._failing = True
        else:
            self._failing = False

    async def _exchange(self) -> None:
        """Say what came of polls, and hear what is assigned."""
        said = [*self._outcomes]
        async with self._store.exchanging() as connection:
            await announce(connection, self._replica, RELEASE, LASTS)
            for outcome in said:
                await self._conclude(connection, outcome)
            wanted = {one.ticket: one for one in await assigned(connection, self._replica)}
            new = [one for ticket, one in wanted.items() if ticket not in self._polls]
            await take(connection, [one.ticket for one in new])
        del self._outcomes[: len(said)]
        await self._end([ticket for ticket in self._polls if ticket not in wanted])
        for one in new:
            self._polls[one.ticket] = asyncio.create_task(self._poll(one), name=f"assigned {one.source}")

    async def _conclude(self, connection: AsyncConnection, outcome: Outcome) -> None:
        """Say what came of a poll; one that the store does not take is told as failed."""
        try:
            async with connection.begin_nested():
                await conclude(connection, outcome)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            LOG.warning("the store does not take what came of a poll for another replica: %s", error.orig)
            refused = "the store does not take what came of its poll"
            await conclude(connection, Outcome(outcome.ticket, taken=True, error=refused))

    async def _end(self, tickets: Sequence[str]) -> None:
        """Cut off polls that nobody waits for, and forget those that are over."""
        over = [self._polls.pop(ticket) for ticket in tickets]
        for task in over:
            task.cancel()
        if over:
            await asyncio.wait(over, timeout=BEGIN)

    async def _poll(self, assignment: Assignment) -> None:
        """Poll, and say what came of it."""
        outcome = await self._outcome(assignment)
        self._outcomes.append(outcome)
        self._done(outcome.batch is not None)
        self._hurry.set()

    async def _outcome(self, assignment: Assignment) -> Outcome:
        ticket, source = assignment.ticket, self.sources.get(assignment.source)
        if source is None or source.kind != assignment.kind:
            error = f"this replica has no source {assignment.source!r} of kind {assignment.kind!r}"
            return Outcome(ticket, taken=True, error=error)
        poll = await poll_one(source, assignment.started)
        if poll.cause is not None:
            LOG.warning("source %s %s", source.name, poll.error, exc_info=poll.cause)
        if poll.batch is None:
            return Outcome(ticket, taken=True, error=poll.error)
        try:
            return Outcome(ticket, taken=True, batch=await asyncio.to_thread(pack_batch, poll.batch))
        except StoreError as error:
            return Outcome(ticket, taken=True, error=str(error))

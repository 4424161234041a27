"""Leaving polls to other replicas: the one that collects deals its sources out to all that can poll.

Nothing depends on them: what nobody takes up, or fails elsewhere, is polled here, within the same time.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Sequence

from rcmon.collector.in_turn import InTurn
from rcmon.collector.leadership import LASTS
from rcmon.collector.poller import BEGIN, LOOK, RELEASE
from rcmon.errors import StoreError
from rcmon.model import Batch
from rcmon.process.pause import happens
from rcmon.sources.base import Source
from rcmon.store import Store
from rcmon.store.assignments import Assignment, Outcome, assign, outcomes, pollers, withdraw
from rcmon.store.codec import unpack_batch
from rcmon.store.lease import Term, is_term

LOG = logging.getLogger(__name__)

DISTRUST = 300.0
"""Seconds for which a replica that could not read a source is not asked for it again."""
REST = 1.0
"""Seconds between two looks at who can poll, while nothing is assigned."""


class _Ask:
    """A poll that is left to a replica."""

    def __init__(self, assignment: Assignment, replica: str) -> None:
        self.assignment, self.replica = assignment, replica
        self.sent = False
        self.begun = asyncio.Event()
        """Set once it is taken up, or over."""
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def end(self, outcome: Outcome) -> None:
        """Say what came of it; without batch and error: nothing ever will."""
        self.begun.set()
        if not self.outcome.done():
            self.outcome.set_result(outcome)


class Assigner:
    """Asks other replicas for polls, for as long as this one collects.

    `term`: this replica's term, None while it does not collect.
    """

    def __init__(self, store: Store, replica: str, term: Callable[[], Term | None]) -> None:
        self._store, self._replica, self._term = store, replica, term
        self._names: Sequence[str] = ()
        self._others: frozenset[str] = frozenset()
        self._asks: dict[str, _Ask] = {}
        self._over: set[str] = set()  # tickets that are to be taken away
        self._distrusted: dict[tuple[str, str], float] = {}
        self._known: Term | None = None
        self._hurry = asyncio.Event()

    def deal(self, sources: Iterable[str]) -> None:
        """Deal these out from now on, by name; each replica gets as many, give or take one."""
        self._names = sorted(sources)
        now = time.monotonic()
        self._distrusted = {whom: until for whom, until in self._distrusted.items() if until > now}

    async def ask(self, source: Source, now: float) -> Batch | None:
        """Have a source polled by the replica whose it is; None: it is to be polled here."""
        replica = self._whose(source.name)
        if replica == self._replica:
            return None
        ask = _Ask(Assignment(secrets.token_hex(8), source.name, source.kind, now), replica)
        self._asks[ask.assignment.ticket] = ask
        self._hurry.set()
        try:
            return await self._batch(ask)
        except asyncio.CancelledError:  # since its time is over
            self._distrust(source.name, replica)
            raise
        except StoreError as error:
            self._distrust(source.name, replica)
            LOG.warning("source %s is polled here, replica %s could not: %s", source.name, replica, error)
            return None
        finally:
            self._asks.pop(ask.assignment.ticket, None)
            self._over.add(ask.assignment.ticket)

    async def run(self) -> None:
        """Look after what is assigned, for good."""
        while True:
            try:
                await self._exchange()
            except Exception as error:  # noqa: BLE001 - not even a fault of ours may end what collects
                self._give_up(self._asks.values(), f"the store fails: {str(error) or type(error).__name__}")
            await happens(self._hurry, LOOK if self._asks else REST)
            self._hurry.clear()

    async def _batch(self, ask: _Ask) -> Batch | None:
        """Wait for what comes of a poll; None: nothing will. Raises StoreError where it failed."""
        outcome = await self._outcome(ask)
        if outcome.error is not None:
            raise StoreError(outcome.error)
        if outcome.batch is None:
            return None
        return await asyncio.to_thread(_unpacked, outcome.batch, ask.assignment.source)

    async def _outcome(self, ask: _Ask) -> Outcome:
        if not await happens(ask.begun, BEGIN):
            its = [one for one in self._asks.values() if one.replica == ask.replica]
            self._give_up(
                (one for one in its if not one.begun.is_set()),
                f"replica {ask.replica} did not begin within {BEGIN:g} s",
            )
        return await ask.outcome

    def _distrust(self, source: str, replica: str) -> None:
        self._distrusted[source, replica] = time.monotonic() + DISTRUST

    def _whose(self, source: str) -> str:
        """Tell which replica is to poll a source; this one, where it is not dealt out or the other failed."""
        everybody = sorted({*self._others, self._replica})
        if source not in self._names:
            return self._replica
        replica = everybody[self._names.index(source) % len(everybody)]
        if time.monotonic() < self._distrusted.get((source, replica), 0.0):
            return self._replica
        return replica

    async def _exchange(self) -> None:
        """Say what is asked for, hear what came of it, and who can poll."""
        term = self._term()
        if term is None:
            self._known, self._others = None, frozenset()
            self._give_up(self._asks.values(), "this replica does not collect any more")
            return
        new = [ask for ask in self._asks.values() if not ask.sent]
        over = [*self._over]
        async with self._store.exchanging() as connection:
            if not await is_term(connection, term):
                self._give_up(self._asks.values(), "another replica collects")
                return
            await withdraw(connection, None if term != self._known else over)
            for replica in sorted({ask.replica for ask in new}):
                wanted = [ask.assignment for ask in new if ask.replica == replica]
                await assign(connection, replica, wanted)
            found = await outcomes(connection, [ticket for ticket, ask in self._asks.items() if ask.sent])
            there = await pollers(connection, RELEASE, LASTS)
        self._known, self._others = term, there - {self._replica}
        self._over.difference_update(over)
        for ask in new:
            ask.sent = True
        self._tell(found)

    def _tell(self, found: Iterable[Outcome]) -> None:
        for one in found:
            if (ask := self._asks.get(one.ticket)) is None:
                continue
            ask.begun.set()
            if one.batch is not None or one.error is not None:
                ask.end(one)
        for replica in {ask.replica for ask in self._asks.values()} - self._others:
            lost = [ask for ask in self._asks.values() if ask.replica == replica]
            self._give_up(lost, f"replica {replica} gives no sign of life any more")

    @staticmethod
    def _give_up(asks: Iterable[_Ask], why: str) -> None:
        """Let these be polled here, since nobody is going to say what came of them."""
        given_up = [ask for ask in asks if not ask.outcome.done()]
        for ask in given_up:
            ask.end(Outcome(ask.assignment.ticket, taken=False))
        if given_up:
            LOG.warning("%s: %d polls that were left to others are done here", why, len(given_up))


class Assigned:
    """A source that is polled by another replica, where one can, and else here."""

    def __init__(self, source: InTurn, assigner: Assigner) -> None:
        self.here = source
        """The source as this replica polls it, for itself or another one."""
        self.name, self.kind, self.timeout = source.name, source.kind, source.timeout
        self._assigner = assigner

    async def poll(self, now: float) -> Batch:
        """Have it polled, or poll it: see `rcmon.sources.base.Source`."""
        batch = await self._assigner.ask(self.here, now)
        return await self.here.poll(now) if batch is None else batch

    async def close(self) -> None:
        """Close the source."""
        await self.here.close()


def _unpacked(data: bytes, source: str) -> Batch:
    batch = unpack_batch(data)
    if batch.source != source:
        raise StoreError(f"it is of source {batch.source!r}")
    return batch

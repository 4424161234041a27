"""The collector: one cycle per interval, rendered and stored; it goes on whatever happens to the store."""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from rcmon.collector.changes import changes
from rcmon.collector.cycle import Cycle
from rcmon.collector.pace import Pace
from rcmon.errors import StoreCorruptError, StoreError
from rcmon.model import Document, HistoryRow, Snapshot
from rcmon.sources.base import Source
from rcmon.store import Store

LOG = logging.getLogger(__name__)

Render: TypeAlias = Callable[[Snapshot, Mapping[str, Document]], list[Document]]
"""Make a snapshot's documents; those of the snapshot before, by key, are there to be used again."""

LEASE_INTERVALS = 3
"""A lease lasts so many intervals: a dead holder is replaced before the service counts as unhealthy."""
STEP_INTERVALS = 5
LONGEST_STEP = 30.0
"""A step that lasts so many intervals, and so many seconds besides, is given up."""
PRUNE_SECONDS = 3600.0
"""How often history is pruned, and how long the clock must have been left alone for that."""


class Collector:
    """Runs cycles and publishes what they give.

    `retention`: seconds that history is kept. `holder` names this replica in the lease of a shared store:
    the same over restarts, and no other replica's. `doing` takes in a few words what was done last;
    `tell_trouble` what is wrong, of `rcmon.process.trouble.TROUBLES`, and why, or None once it is right.
    `running` is a clock that nobody sets.
    """

    def __init__(
        self,
        cycle: Cycle,
        store: Store,
        render: Render,
        *,
        retention: float,
        holder: str,
        doing: Callable[[str], None] = lambda _: None,
        tell_trouble: Callable[[str, str | None], None] = lambda _what, _reason: None,
        running: Callable[[], float] = time.monotonic,
    ) -> None:
        self.trouble: StoreError | None = None
        """Why the store failed last, for as long as it fails."""
        self._cycle = cycle
        self._store = store
        self._render = render
        self._retention = retention
        self._holder = holder
        self._doing = doing
        self._tell_trouble = tell_trouble
        self._running = running
        self._cycles = 0
        self._leads = False
        self._resumed = False
        self._saved: Snapshot | None = None
        self._documents: Mapping[str, Document] = {}
        self._prune_after = -math.inf

    def replace_sources(self, sources: Sequence[Source]) -> None:
        """Poll these from the next cycle on."""
        self._cycle.replace_sources(sources)

    async def step(self, now: float) -> Snapshot | None:
        """Run one cycle and publish it; None where another replica collects, or the lease is out of reach.

        `now`: seconds since the epoch. Trouble with the store is logged when it begins and when it ends.
        """
        if not await self._take_lease():
            self._doing("another replica collects, or the store is out of reach")
            return None
        await self._resume(now)
        snapshot, (documents, rows) = await self._cycle.run(now, self._prepare)
        self._documents = {document.key: document for document in documents}
        try:
            await self._save(snapshot, documents, rows)
            await self._prune(now)
        except StoreError as error:
            self._note_trouble(error)
        else:
            self._note_well()
        blamed = "; ".join(f"source {name}: {why}" for name, why in self._cycle.blamed.items())
        self._tell_trouble("render", blamed or None)
        self._tell(snapshot)
        return snapshot

    async def run(self, stop: asyncio.Event) -> None:
        """Run a step at once and then one per interval until `stop`; then close.

        The starts lie on a fixed grid: one that comes while a step still runs is skipped.
        """
        try:
            longest = STEP_INTERVALS * self._cycle.interval + LONGEST_STEP
            tell = partial(self._tell_trouble, "cycle")
            await Pace(lambda: self.step(time.time()), self._cycle.interval, longest, tell).run(stop)
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the sources and let another replica collect; the store stays open."""
        await self._cycle.close()
        if self._leads and self._store.shared:
            self._leads = False
            try:
                await self._store.release_lease(self._holder)
            except StoreError as error:
                LOG.warning("the lease cannot be given back, it expires by itself: %s", error)

    def _tell(self, snapshot: Snapshot) -> None:
        """Say in a few words how far it is."""
        self._cycles += 1
        sources, up = len(snapshot.sources), sum(source.up for source in snapshot.sources)
        self._doing(f"cycle {self._cycles}, {up} of {sources} sources up, {len(snapshot.agents)} agents")

    async def _take_lease(self) -> bool:
        """Take or renew the lease where replicas share the store; tells whether this one collects."""
        if not self._store.shared:
            return True
        try:
            leads = await self._store.acquire_lease(self._holder, LEASE_INTERVALS * self._cycle.interval)
        except StoreError as error:
            self._note_trouble(error)
            return False
        if leads != self._leads:
            LOG.info(
                "%s %s", self._holder, "collects now" if leads else "leaves collecting to another replica"
            )
            self._resumed = False
        self._leads = leads
        if not leads:
            self._note_well()
        return leads

    async def _resume(self, now: float) -> None:
        """Go on from the store's newest snapshot, at the start and after another replica collected."""
        if self._resumed:
            return
        try:
            last = await self._store.last_snapshot()
        except StoreError as error:
            self._note_trouble(error)
            return
        # the newest in the store is its newest, whatever the clocks of those who wrote it said
        mine = self._saved is not None and last is not None and self._saved.started == last.started
        if last is not None and not mine:
            self._cycle.previous = last
        if last is not None and abs(now - last.started) > self._retention:
            self._prune_after = self._running() + PRUNE_SECONDS
        self._saved, self._resumed = last, True

    def _prepare(self, snapshot: Snapshot) -> tuple[list[Document], list[HistoryRow]]:
        """Render, and find what changed since the last snapshot that was saved; in a thread."""
        return self._render(snapshot, self._documents), changes(self._saved, snapshot)

    async def _save(
        self, snapshot: Snapshot, documents: Sequence[Document], rows: Sequence[HistoryRow]
    ) -> None:
        """Save; a store that turns out damaged is set aside and made afresh first."""
        try:
            await self._store.save(snapshot, documents, rows)
        except StoreCorruptError as error:
            self._note_trouble(error)
            await self._store.migrate()
            self._saved = await self._store.last_snapshot()
            await self._store.save(snapshot, documents, changes(self._saved, snapshot))
        self._saved = snapshot

    async def _prune(self, now: float) -> None:
        """Delete old history, unless the clock may be wrong: what goes does not come back."""
        running, clock_set = self._running(), self._cycle.clock_set
        steady = clock_set is None or running - clock_set >= PRUNE_SECONDS
        if running >= self._prune_after and steady:
            await self._store.prune(now - self._retention)
            self._prune_after = running + PRUNE_SECONDS

    def _note_trouble(self, error: StoreError) -> None:
        if self.trouble is None or type(self.trouble) is not type(error):
            LOG.error("the store fails, the next cycle tries again: %s", error)
        self.trouble = error
        self._tell_trouble("store", str(error))

    def _note_well(self) -> None:
        if self.trouble is not None:
            LOG.info("the store works again")
        self.trouble = None
        self._tell_trouble("store", None)

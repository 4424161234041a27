"""Publishing what cycles give: saved, read back, and the store mended where it turns out damaged."""

import asyncio
import logging
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.collector.changes import changes
from rcmon.collector.journal import entries
from rcmon.collector.leadership import LASTS, Leadership
from rcmon.collector.overridden import GAP
from rcmon.collector.totals import grid_point, same
from rcmon.documents.keys import FORMAT
from rcmon.errors import StoreCorruptError, StoreError
from rcmon.model import Document, GridPoint, HistoryRow, Snapshot
from rcmon.model.journal import JournalEntry
from rcmon.store import Store
from rcmon.store.grid import add_grid
from rcmon.store.history import add_history
from rcmon.store.journal import add_entries, has_begun
from rcmon.store.lease import Term
from rcmon.store.notes import Note, read_notes, set_aside_since
from rcmon.store.pruning import Ages, upkeep
from rcmon.store.snapshots import Packed, add_snapshot, last_snapshot, pack_all

LOG = logging.getLogger(__name__)

PRUNE_SECONDS = 3600.0
"""How often history is pruned, and how long the clock must have been left alone for that."""
AT_ONCE_SECONDS = 2.0
"""How long one cycle prunes, and one transaction more."""
TOLD_SECONDS = 3600.0
"""How long it is told as a trouble that a store was set aside."""


class News(Struct, frozen=True):
    """What a snapshot changes of what is kept over time."""

    history: Sequence[HistoryRow]
    journal: Sequence[JournalEntry]


class Publisher:
    """What a collector does with the store; it goes on whatever happens to that.

    `holder` names this replica in the lease of a shared store: the same over restarts, and no other's;
    `lasts` is how many seconds the lease lasts.
    `ages`: how long what is kept over time is kept. `tell_trouble` takes what is wrong, of
    `rcmon.process.trouble.TROUBLES`, and why, or None once it is right. `mended` is called when a store was
    set aside or made again, `journaled` with a kind and how many of its entries were kept. `running` is a
    clock that nobody sets.
    """

    def __init__(
        self,
        store: Store,
        *,
        holder: str,
        ages: Ages,
        tell_trouble: Callable[[str, str | None], None] = lambda _what, _reason: None,
        mended: Callable[[], None] = lambda: None,
        journaled: Callable[[str, int], None] = lambda _kind, _count: None,
        running: Callable[[], float] = time.monotonic,
        lasts: float = LASTS,
    ) -> None:
        self.trouble: StoreError | None = None
        """Why the store failed last, for as long as it fails."""
        self._leadership = Leadership(store, holder, lasts)
        self._led = not store.shared  # whether it is known that this replica collects
        self._store, self._holder, self._ages = store, holder, ages
        self._tell_trouble, self._mended, self._running = tell_trouble, mended, running
        self._journaled = journaled
        self._last: Snapshot | None = None
        self._told: Snapshot | None = None  # what the journal tells of: the last, where it has begun
        self._resumed = False
        self._prune_after = -math.inf
        self._upkeep: AsyncIterator[None] | None = None
        self._grid: GridPoint | None = None

    @property
    def shared(self) -> bool:
        """Whether replicas share the store, so that only one of them collects."""
        return self._store.shared

    @property
    def term(self) -> Term | None:
        """The term in which this replica collects, of a shared store; None: none is known here."""
        return self._leadership.term

    @property
    def next_look(self) -> float:
        """Seconds until it is worth to call `lead` or `keep` again."""
        return self._leadership.next_look

    @property
    def knows(self) -> bool:
        """Whether what others left in a shared store is known, or lost: else a cycle would contradict it."""
        return self._resumed or not self.shared or isinstance(self.trouble, StoreCorruptError)

    async def lead(self) -> bool:
        """Take the lease or take it longer where replicas share the store; tells whether this one collects.

        Not while a step runs: what that concluded belongs to the term that it began in.
        """
        if not self._store.shared:
            return True
        before = self._leadership.term
        try:
            leads = await self._lease()
        except StoreError as error:
            self._fail(error)
            return False
        if self._leadership.term != before:
            self._resumed = False  # another one may have collected
        self._tell_lead(leads)
        if not leads:
            self._be_well(())
        return leads

    async def keep(self) -> bool:
        """Take the lease longer while a step may run; tells whether this replica still collects."""
        try:
            await self._leadership.renew()
        except StoreError as error:
            LOG.debug("the lease cannot be taken longer just now: %s", error)
        if not (holds := self._leadership.holds):
            self._tell_lead(holds)
        return holds

    def writing(self, *, durable: bool = False) -> AbstractAsyncContextManager[AsyncConnection]:
        """Write as the one who collects: see `Leadership.writing`."""
        return self._leadership.writing(durable=durable)

    async def resume(self, now: float) -> Snapshot | None:
        """Give the store's newest snapshot, at the start and after another replica collected.

        None where it is the last that was saved here. `now`: seconds since the epoch.
        """
        if self._resumed:
            return None
        try:
            last, told = await self._read_last()
        except StoreError as error:
            self._fail(error)
            return None
        # the newest in the store is its newest, whatever the clocks of those who wrote it said
        mine = self._last is not None and last is not None and self._last.started == last.started
        if last is not None and abs(now - last.started) > GAP:  # the clock may have been set
            self._prune_after = self._running() + PRUNE_SECONDS
        self._last, self._told, self._resumed, self._grid = last, told, True, None
        return None if mine else last

    def news(self, snapshot: Snapshot) -> News:
        """Find what changed since the last snapshot that was saved."""
        return News(changes(self._last, snapshot), entries(self._told, snapshot))

    async def publish(self, snapshot: Snapshot, documents: Sequence[Document], news: News) -> None:
        """Save a snapshot and what changed, all or nothing, and see that it is there.

        A store that turns out damaged is mended and gets the snapshot again: first as it is, should it be
        sound; then made afresh in any case.
        """
        try:
            packed = await asyncio.to_thread(pack_all, snapshot, documents)
            try:
                notes = await self._save(snapshot, packed, news)
            except StoreCorruptError as error:
                notes = await self._save_again(snapshot, packed, error)
        except StoreError as error:
            self._fail(error)
        else:
            self._be_well(notes)

    async def prune(self, now: float, clock_set: float | None) -> None:
        """Pack and delete old history, unless the clock may be wrong: what goes does not come back.

        It takes a few seconds of a cycle at most, and goes on in the next.

        `clock_set`: when the clock was last seen to be set, as `running` counts. Damage that is met here is
        mended by the next save, which looks at the whole file.
        """
        running = self._running()
        steady = clock_set is None or running - clock_set >= PRUNE_SECONDS
        if self.trouble is not None or running < self._prune_after or not steady:
            self._upkeep = None
            return
        work = self._upkeep or upkeep(self.writing, self._ages, now, gives_back=not self._store.shared)
        self._upkeep = None  # one that is cancelled has ended, though it did not do all
        try:
            async for _ in work:
                if self._running() - running > AT_ONCE_SECONDS:
                    self._upkeep = work
                    return  # the next cycle goes on
        except StoreError as error:
            self._store.suspect(error)
            self._fail(error)
        else:
            self._prune_after = running + PRUNE_SECONDS

    async def let_go(self) -> None:
        """Let another replica collect."""
        self._led = not self._store.shared
        try:
            await self._leadership.resign()
        except StoreError as error:
            LOG.warning("the lease cannot be given back, it expires by itself: %s", error)

    async def _lease(self) -> bool:
        try:
            return await self._leadership.seek()
        except StoreCorruptError as error:
            await self._mend(error, condemned=False)
            return await self._leadership.seek()

    def _tell_lead(self, leads: bool) -> None:  # noqa: FBT001 - what is told
        if leads != self._led:
            LOG.info(
                "%s %s", self._holder, "collects now" if leads else "leaves collecting to another replica"
            )
        self._led = leads

    async def _read_last(self) -> tuple[Snapshot | None, Snapshot | None]:
        """Read the newest snapshot, and again as what the journal tells of: None where it has not begun."""
        async with self._store.reading() as connection:
            last = await last_snapshot(connection)
            return last, last if await has_begun(connection) else None

    async def _save(self, snapshot: Snapshot, packed: Packed, news: News) -> Sequence[Note]:
        """Write and read back; gives what happened to the store."""
        grid = await asyncio.to_thread(grid_point, snapshot)
        async with self.writing() as connection:
            await add_history(connection, news.history)
            if not same(self._grid, grid):
                await add_grid(connection, grid)
            number = await add_snapshot(connection, packed, FORMAT)
            await add_entries(connection, news.journal)
            notes = await connection.run_sync(read_notes)
        self._last, self._told, self._grid = snapshot, snapshot, grid
        for kind, count in Counter(entry.kind for entry in news.journal).items():
            self._journaled(kind, count)
        await self._store.read_back(number)
        return notes

    async def _save_again(
        self, snapshot: Snapshot, packed: Packed, damage: StoreCorruptError
    ) -> Sequence[Note]:
        """Mend the store and save."""
        await self._mend(damage, condemned=False)
        try:
            return await self._save(snapshot, packed, await asyncio.to_thread(self.news, snapshot))
        except StoreCorruptError as again:
            await self._mend(again, condemned=True)
            return await self._save(snapshot, packed, await asyncio.to_thread(self.news, snapshot))

    async def _mend(self, damage: StoreCorruptError, *, condemned: bool) -> None:
        """Mend the store and go on from what is in it then."""
        self._fail(damage)
        begun = time.time()
        await self._store.migrate(str(damage), condemned=condemned)
        async with self._store.reading() as connection:
            if set_aside_since(await connection.run_sync(read_notes), begun):
                self._mended()
        self._last, self._told = await self._read_last()
        self._grid = None

    def _fail(self, error: StoreError) -> None:
        if self.trouble is None or type(self.trouble) is not type(error):
            LOG.error("the store fails, the next cycle tries again: %s", error)
        self.trouble = error
        self._tell_trouble("store", str(error))

    def _be_well(self, notes: Sequence[Note]) -> None:
        if self.trouble is not None:
            LOG.info("the store works again")
        self.trouble = None
        self._tell_trouble("store", None)
        aside = set_aside_since(notes, time.time() - TOLD_SECONDS)
        self._tell_trouble("store_set_aside", aside.text if aside else None)

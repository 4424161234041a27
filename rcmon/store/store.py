"""The store: what every other room calls."""

import asyncio
import itertools
import logging
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rcmon.errors import StoreCorruptError, StoreError
from rcmon.model import Document, HistoryRow, Snapshot
from rcmon.store import history, lease, snapshots
from rcmon.store.address import parse
from rcmon.store.codec import pack, unpack
from rcmon.store.engine import WRITES, make_engine, store_errors
from rcmon.store.migrations import STEPS, upgrade
from rcmon.store.notes import MADE, SET_ASIDE, Note, add_note, prune_notes, read_notes
from rcmon.store.sqlite import SetAside, prepare
from rcmon.store.vacuum import vacuum

LOG = logging.getLogger(__name__)


class Store:
    """One database, SQLite or PostgreSQL, over one connection: operations of one Store take turns.

    The connection is opened by the first operation, never by construction, and ends with `close`, after
    which the next operation opens it again. It must not be open when the process forks. Every operation
    may raise StoreError: StoreBusyError where a later try may succeed, StoreCorruptError where `migrate`
    may help. Nothing is ever half written.
    """

    def __init__(self, url: str | URL, keep: int = 3) -> None:
        """Check the URL (raises ConfigError); `keep` is how many snapshots stay."""
        self.address = parse(url)
        self.notes: tuple[Note, ...] = ()
        """What happened to the store, as of the last `migrate` or `load_documents`, oldest first."""
        self._keep = keep
        self._engine: AsyncEngine | None = None
        self._process = 0
        self._file: tuple[int, int] | None = None
        self._lock = asyncio.Lock()
        self._holder: str | None = None

    @property
    def shared(self) -> bool:
        """Whether several replicas may share it, so that collecting needs the lease."""
        return self.address.path is None

    async def migrate(self) -> None:
        """Make the store or bring it to the newest schema; a damaged SQLite file is set aside before."""
        now = time.time()
        async with self._lock:
            await self._dispose()
            path = self.address.path
            aside = await asyncio.to_thread(prepare, path, len(STEPS), now) if path else None
        async with self._transaction(writes=True) as connection:
            made = await connection.run_sync(upgrade, now)
            for note in _news(now, aside, made=made):
                LOG.log(logging.WARNING if aside else logging.INFO, "%s: %s", self.address, note.text)
                await add_note(connection, note)
            self.notes = await read_notes(connection)

    async def newest_id(self) -> int | None:
        """Read the newest snapshot's id; None: there is none yet."""
        async with self._transaction() as connection:
            return await snapshots.newest_id(connection)

    async def save(
        self, snapshot: Snapshot, documents: Sequence[Document], history_rows: Sequence[HistoryRow]
    ) -> int:
        """Keep a snapshot, its documents and what changed, all or nothing; returns the snapshot's id.

        Ids only grow. Old snapshots go in the same transaction, first, so that their space is used again.
        Raises StoreBusyError where a lease was acquired and somebody else holds it now.
        """
        packed, rows = await asyncio.to_thread(lambda: (pack(snapshot), snapshots.document_rows(documents)))
        finished = snapshot.started + snapshot.duration
        async with self._transaction(writes=True) as connection:
            if self._holder is not None:
                await lease.hold_lease(connection, self._holder)
            await snapshots.drop_snapshots(connection, self._keep - 1)
            await history.add_history(connection, history_rows)
            return await snapshots.add_snapshot(connection, snapshot.started, finished, packed, rows)

    async def load_documents(self, number: int) -> list[Document]:
        """Read a snapshot's documents; none where the snapshot is gone by now."""
        async with self._transaction() as connection:
            self.notes = await read_notes(connection)
            return await snapshots.read_documents(connection, number)

    async def last_snapshot(self) -> Snapshot | None:
        """Read the newest snapshot that can be read; None: there is none."""
        async with self._transaction() as connection:
            packed = await snapshots.read_packed(connection)
        for data in packed:
            try:
                return await asyncio.to_thread(unpack, data)
            except StoreCorruptError as error:
                LOG.warning("%s: %s", self.address, error)
        return None

    async def history(self, agent: str, site: str, since: float) -> list[HistoryRow]:
        """Read what one site in one agent became, oldest first, with the row that held at `since`."""
        async with self._transaction() as connection:
            return await history.read_history(connection, agent, site, since)

    async def prune(self, before: float) -> None:
        """Delete history that ended before that time, and give free space back, in short transactions."""
        async with self._transaction(writes=True) as connection:
            await prune_notes(connection)
            series = iter(await history.read_series(connection))
        while some := list(itertools.islice(series, history.SERIES_AT_ONCE)):
            async with self._transaction(writes=True) as connection:
                await history.prune_history(connection, some, before)
        more = not self.shared
        while more:
            async with self._transaction() as connection:
                more = await vacuum(connection)

    async def acquire_lease(self, holder: str, seconds: float, now: float | None = None) -> bool:
        """Take or renew the collector's lease; tells whether `holder` has it now.

        `now` defaults to the database's clock, which all replicas share.
        """
        async with self._transaction(writes=True) as connection:
            if now is None:
                now = await lease.server_time(connection) if self.shared else time.time()
            held = await lease.take_lease(connection, holder, seconds, now)
        self._holder = holder
        return held

    async def release_lease(self, holder: str) -> None:
        """Give the lease back, so that another replica need not wait until it expires."""
        async with self._transaction(writes=True) as connection:
            await lease.drop_lease(connection, holder)

    async def close(self) -> None:
        """End the connection and its thread, after the operation that runs."""
        async with self._lock:
            await self._dispose()
        self._lock = asyncio.Lock()  # the next operation may come from another loop

    @asynccontextmanager
    async def _transaction(self, *, writes: bool = False) -> AsyncIterator[AsyncConnection]:
        """Run one transaction, alone; one that only reads is rolled back."""
        async with self._lock:
            with store_errors(self.address):
                engine = (await self._open()).execution_options(**{WRITES: writes})
                async with engine.begin() if writes else engine.connect() as connection:
                    yield connection

    async def _open(self) -> AsyncEngine:
        """Open the database, again where its file is another one by now."""
        if self._engine is not None and self._process != os.getpid():
            raise StoreError(f"{self.address} was open when the process forked: close it before")
        file = self.address.file_id()
        if self._engine is not None and file != self._file:
            await self._dispose()
        if self._engine is None:
            self._engine, self._process, self._file = make_engine(self.address), os.getpid(), file
        return self._engine

    async def _dispose(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None and self._process == os.getpid():
            await engine.dispose()


def _news(now: float, aside: SetAside | None, *, made: bool) -> list[Note]:
    """Tell what a migration found worth a note."""
    news = []
    if aside:
        news.append(Note(now, SET_ASIDE, f"the damaged store was set aside as {aside.path} ({aside.reason})"))
    if made:
        news.append(Note(now, MADE, "the store was made afresh"))
    return news

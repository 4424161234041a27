"""The store: one database, its lanes, and how it is made, upgraded and mended."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import TypeVar

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.errors import StoreCorruptError, StoreError, StoreForeignError
from rcmon.store.about import PRODUCTION, claim
from rcmon.store.address import parse
from rcmon.store.calm import Calm
from rcmon.store.lane import Lane, Together
from rcmon.store.migrations import revisions, upgrade
from rcmon.store.notes import MADE, SET_ASIDE, Note, add_note
from rcmon.store.readback import Readback, lost
from rcmon.store.repair import make_again
from rcmon.store.sqlite import Care, SetAside, beside, prepare
from rcmon.store.tables import COLUMNS

LOG = logging.getLogger(__name__)
T = TypeVar("T")

_COLUMNS = (
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
)
ASKERS = 4
"""How many long questions of one process are answered at once."""
HASTE, PATIENCE = 1.2, 10.0
"""Seconds that a server has to answer who takes the lease, and what is short: one that was cut off says
nothing."""
LONGEST = 20.0
"""Seconds that a long question has: others wait for its place, and its client for an answer."""


class Store:
    """One database, SQLite or PostgreSQL: six lanes to it, for what is in `rcmon.store`'s other modules.

    Their functions take a connection: of `transaction` and `adding`, which alone may write, the first for the
    one who saves snapshots; of `leasing`, for who that is; of `exchanging`, for what replicas
    that share it leave to each other; of `reading`, for what is short; of `asking`, for
    what may take long. No lane waits for another one, but that SQLite has one writer at a time. Each may
    raise StoreError: StoreBusyError where a later try may succeed, StoreCorruptError where `migrate` may
    help. Nothing is ever half written. No connection may be open when the process forks (`close`).
    """

    def __init__(self, url: str | URL, owner: str = PRODUCTION, *, longest: float = LONGEST) -> None:
        """Check the URL (raises ConfigError). A store of another `owner` is refused by `migrate`.

        `longest`: seconds that a long question has.
        """
        self.address = parse(url)
        self._owner = owner
        self._together = Together(self.address)
        self._writing = Lane(self._together, follows=False)
        self._leasing = Lane(self._together, patience=HASTE, brief=True)
        self._reading = Lane(self._together, patience=PATIENCE)
        self._asking = Lane(self._together, places=ASKERS, longest=longest)
        self._exchanging = Lane(self._together, patience=PATIENCE, brief=True)
        self._adding = Lane(self._together, durable=True, patience=2 * PATIENCE, brief=True)
        self._calm, self._work = Calm(), asyncio.Lock()
        self._readback = Readback(self.address.path) if self.address.path else None
        self._known = len(revisions())

    @property
    def shared(self) -> bool:
        """Whether several replicas may share it, so that collecting needs the lease."""
        return self.address.path is None

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Run a transaction that may write: it ends as a whole or not at all."""
        return self._writing.connection(writes=True)

    def leasing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Read and write the lease of a shared store, beside all others and without patience."""
        return self._leasing.connection(writes=True)

    def exchanging(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Read and write what replicas leave to each other: large, and soon worth nothing."""
        return self._exchanging.connection(writes=True)

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Read something short, from one state."""
        return self._suspicious(self._reading)

    def asking(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Read something that may take long, from one state; StoreBusyError where it takes too long."""
        return self._suspicious(self._asking)

    async def look(self, question: Callable[[Connection], T]) -> T:
        """Ask something short as a whole, from one state, while long work rests: see `Lane.ask`."""
        with self._calm.disturbed():
            return await self._watched(self._reading, question)

    async def ask(self, question: Callable[[Connection], T]) -> T:
        """Ask what may take long likewise; StoreBusyError where it takes too long."""
        return await self._watched(self._asking, question)

    async def compute(self, work: Callable[[Callable[[], None]], T]) -> T:
        """Do long work in a thread, one at a time; it calls what it is given after each millisecond or so."""
        async with self._work:
            return await asyncio.to_thread(work, self._calm.rest)

    @asynccontextmanager
    async def adding(self) -> AsyncIterator[AsyncConnection]:
        """Write something short beside whoever saves and mends: it is there for good once this ends.

        Meanwhile nothing is set aside. Raises StoreBusyError where somebody is about to, or writes at length.
        """
        with beside(self.address.path) if self.address.path else nullcontext():
            async with self._suspicious(self._adding, writes=True) as connection:
                yield connection

    async def migrate(self, damage: str | None = None, *, condemned: bool = False) -> None:
        """Make the store, bring it to the newest schema, and mend it: whatever is there is looked at anew.

        A damaged SQLite file is set aside and made afresh; on PostgreSQL a lost table is made again.
        `damage` is what was found wrong with it while running; where it is `condemned`, its file is set
        aside though it looks sound. Raises StoreForeignError at the start for a store that is another's.
        """
        found = damage if condemned else None
        for last in (False, True):
            try:
                return await self._migrate(found, ours=damage is not None)
            except StoreForeignError as error:
                if damage is None or self.shared or last:
                    raise
                found = f"it was exchanged: {error}"
            except StoreCorruptError as error:
                if self.shared or last:
                    raise
                found = str(error)
        return None

    async def read_back(self, newest: int | None = None) -> None:
        """See that what was written is there, snapshot `newest` too; raises StoreCorruptError."""
        if self._readback is not None:
            await asyncio.to_thread(self._readback.check, self._known, newest)
            return
        async with self.reading() as connection:
            there: dict[str, frozenset[str]] = {}
            for table, column in await connection.execute(text(_COLUMNS)):
                there[table] = there.get(table, frozenset()) | {column}
        if missing := lost(there):
            raise StoreCorruptError(f"{self.address}: {missing}")

    def suspect(self, error: StoreError) -> None:
        """Let the next save look at the whole file, where the error says that it is damaged."""
        if self._readback is None or not isinstance(error, StoreCorruptError):
            return
        if self._readback.suspect(str(error)):
            LOG.error("the store looks damaged, the next save looks at all of it: %s", error)

    async def close(self) -> None:
        """End all connections and their threads, after those who use them."""
        async with self._together.closed():
            pass
        self._work = asyncio.Lock()  # the next use may come from another loop

    async def _migrate(self, found: str | None, *, ours: bool) -> None:
        now = time.time()
        aside = None
        async with self._together.closed():
            if self.address.path is not None and self._readback is not None:
                care = Care(known=self._known, ours=ours, damage=found)
                aside = await asyncio.to_thread(prepare, self.address.path, care, now)
                self._readback.forget()
        async with self.transaction() as connection:
            made = await connection.run_sync(upgrade, now)
            news = _news(now, aside, made=made)
            if missing := await connection.run_sync(_lost):
                news.append(await self._replace(connection, missing, now))
            await claim(connection, self._owner, str(self.address))
            for note in news:
                LOG.log(
                    logging.INFO if note.kind == MADE else logging.WARNING, "%s: %s", self.address, note.text
                )
                await add_note(connection, note)

    async def _replace(self, connection: AsyncConnection, missing: str, now: float) -> Note:
        """Make lost tables again where nothing can be set aside; raises StoreCorruptError where it can."""
        if not self.shared:
            raise StoreCorruptError(f"{self.address}: {missing}")
        await connection.run_sync(make_again, now)
        return Note(now, SET_ASIDE, f"{missing}: what is lost was made again, empty")

    async def _watched(self, lane: Lane, question: Callable[[Connection], T]) -> T:
        try:
            return await lane.ask(question)
        except StoreCorruptError as error:
            self.suspect(error)
            raise

    @asynccontextmanager
    async def _suspicious(self, lane: Lane, *, writes: bool = False) -> AsyncIterator[AsyncConnection]:
        """Use a lane; whoever meets damage lets the one who mends look for it."""
        try:
            async with lane.connection(writes=writes) as connection:
                yield connection
        except StoreCorruptError as error:
            self.suspect(error)
            raise


def _lost(connection: Connection) -> str | None:
    found = inspect(connection)
    there = set(found.get_table_names())
    return lost(
        {
            name: frozenset(column["name"] for column in found.get_columns(name))
            for name in COLUMNS
            if name in there
        }
    )


def _news(now: float, aside: SetAside | None, *, made: bool) -> list[Note]:
    """Tell what a migration found worth a note."""
    news = []
    if aside:
        news.append(Note(now, SET_ASIDE, f"the damaged store was set aside as {aside.path} ({aside.reason})"))
    if made:
        news.append(Note(now, MADE, "the store was made afresh"))
    return news

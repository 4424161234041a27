"""A lane: one way to the database, which no other one waits for."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rcmon.errors import StoreBusyError, StoreCorruptError, StoreError
from rcmon.store.address import Address
from rcmon.store.desk import Desk
from rcmon.store.engine import PATIENCE, WRITES, make_engine, store_errors
from rcmon.store.open_files import EXCHANGED, OpenFiles

T = TypeVar("T")

_LOOKS, _BETWEEN = 5, 0.01
"""How often it is looked again before a log counts as taken away, and seconds between."""


class Together:
    """The lanes of one store in a process; on a server they have nothing to do with each other.

    SQLite shares the index of a log among all connections of a process to one file: whoever opens the file
    while another one is open gets the index that this one has, be it on the disk or not. So all end before
    one begins anew.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.lanes: list[Lane] = []
        self._files = OpenFiles(address)
        self._uses = 0

    @asynccontextmanager
    async def use(self) -> AsyncIterator[None]:
        """Use the files within. Where others are open than are there, all that are open end first.

        Raises StoreCorruptError where the store is not there, or its log or that one's index was taken away;
        StoreBusyError where somebody still uses what is gone: it ends with that use.
        """
        if self.address.path is None:
            yield
            return
        await self._see()
        self._uses += 1
        try:
            yield
            self._files.learn()  # SQLite opens its log with the first statement
        finally:
            self._uses -= 1

    @asynccontextmanager
    async def closed(self) -> AsyncIterator[None]:
        """End all connections; those to a file are all closed within, those to a server one after another."""
        async with AsyncExitStack() as closed:
            for lane in self.lanes:
                await closed.enter_async_context(lane.closed())
                if self.address.path is None:
                    await closed.aclose()
            self._files.forget()
            yield

    async def _see(self) -> None:
        """Go on from the files that are there."""
        if (lost := await self._lost()) is None:
            return
        said = lost.format(self.address)
        if self._uses:
            raise StoreBusyError(f"{said}, and somebody here still uses it")
        for lane in self.lanes:
            lane.begin_end(said)
        self._files.forget()
        for lane in self.lanes:
            await lane.ended()
        if self._files.lost() not in (None, EXCHANGED):  # who has another file open shares nothing with us
            raise StoreBusyError(f"{said}, and somebody here still uses it")
        if lost != EXCHANGED:
            raise StoreCorruptError(said)

    async def _lost(self) -> str | None:
        """Say what is lost for good: whoever ends the last connection unlinks its log, then lets it go."""
        for _ in range(_LOOKS):
            if (lost := self._files.lost()) in (None, EXCHANGED):
                return lost
            await asyncio.sleep(_BETWEEN)
        return self._files.lost()


class Lane:
    """So many connections to one database, opened by use and never at construction.

    A lane of one keeps its connection open, and its users take turns. Of more, each user has a connection of
    its own that ends with the use. None may be open when the process forks. SQLite's file, its log and that
    one's index are looked at before each use, lest one goes on from what it remembers of a file that is gone:
    a lane that `follows` opens the file that is there now, another one tells it once as StoreCorruptError.
    Where each user has a connection of its own, `longest` is how many seconds it may use it: then
    StoreBusyError. `patience`: seconds that a server has to answer: then StoreError. `brief`: a server ends
    what writes and then says nothing for some seconds, lest everybody waits for one that was stopped.
    """

    def __init__(
        self,
        together: Together,
        *,
        places: int = 1,
        follows: bool = True,
        durable: bool = False,
        longest: float | None = None,
        patience: float = PATIENCE,
        brief: bool = False,
    ) -> None:
        self._together, self._address = together, together.address
        self._places, self._follows, self._durable = places, follows, durable
        self._longest, self._patience, self._brief = longest, patience, brief
        self._engine: AsyncEngine | None = None
        self._desk: Desk | None = None
        self._process = 0
        self._lost: str | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Semaphore(places)
        together.lanes.append(self)

    @asynccontextmanager
    async def connection(self, *, writes: bool = False) -> AsyncIterator[AsyncConnection]:
        """Run one transaction; one that only reads is rolled back. Raises StoreError and its kinds."""
        async with self._use() as opened:
            engine = opened.execution_options(**{WRITES: writes})
            async with engine.begin() if writes else engine.connect() as connection:
                try:
                    yield connection
                except asyncio.CancelledError:
                    if writes and self._address.path is None:
                        await connection.invalidate()  # a server that was cut off does not answer ROLLBACK
                    raise

    async def ask(self, question: Callable[[Connection], T]) -> T:
        """Have a question answered in one transaction, which is rolled back; raises likewise.

        On SQLite a thread runs all of it; on a server each statement is awaited, and the loop runs the rest:
        a question must not compute at length.
        """
        async with self._use() as engine:
            if self._address.path is None:
                async with engine.connect() as connection:
                    return await connection.run_sync(question)
            if self._desk is None:
                self._desk = Desk(self._address, places=self._places, longest=self._longest)
            return await self._desk.answer(question)

    @asynccontextmanager
    async def _use(self) -> AsyncIterator[AsyncEngine]:
        """Wait for the turn, and see to what goes wrong."""
        async with self._turn:
            if self._engine is not None and self._process != os.getpid():
                raise StoreError(f"{self._address} was open when the process forked: close it before")
            try:
                with store_errors(self._address):
                    async with self._together.use():
                        yield self._open()
            except StoreBusyError:
                raise
            except StoreError:
                self._lost = None
                self.begin_end()  # a connection that met trouble may keep it: read-only, an old page
                await self.ended()
                raise

    @asynccontextmanager
    async def closed(self) -> AsyncIterator[None]:
        """End the connections and their threads, after those who use them; nobody does within."""
        async with AsyncExitStack() as places:
            for _ in range(self._places):
                await places.enter_async_context(self._turn)
            self._lost = None
            self.begin_end()
            await self.ended()
            yield
        if not self._turn.locked():
            self._turn = asyncio.Semaphore(self._places)  # the next use may come from another loop

    def begin_end(self, lost: str | None = None) -> None:
        """Let go of the connections: they end even where nobody waits for that.

        `lost`: what they were open on that is not there any more; a lane that does not follow tells it.
        """
        (engine, self._engine), (desk, self._desk) = (self._engine, None), (self._desk, None)
        if engine is None or self._process != os.getpid():
            return
        self._lost = self._lost if self._follows else lost
        ending = asyncio.create_task(_end(engine, desk))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def ended(self) -> None:
        """Wait until the connections that were let go have ended."""
        if self._ending:
            await asyncio.wait(self._ending)  # whoever waits may be cancelled, and they go on

    def _open(self) -> AsyncEngine:
        """Open the database; raises StoreCorruptError where it is not the one that was open before."""
        lost, self._lost = self._lost, None
        if lost is not None:
            raise StoreCorruptError(lost)
        if self._engine is None:
            self._engine = make_engine(
                self._address,
                keeps=self._places == 1,
                durable=self._durable,
                longest=self._longest,
                patience=self._patience,
                brief=self._brief,
            )
            self._process = os.getpid()
        return self._engine


async def _end(engine: AsyncEngine, desk: Desk | None) -> None:
    await engine.dispose()
    if desk is not None:
        await desk.close()

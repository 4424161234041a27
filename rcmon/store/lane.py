"""A lane: one way to the database, which no other one waits for."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rcmon.errors import StoreBusyError, StoreCorruptError, StoreError
from rcmon.store.address import NO_FILES, Address
from rcmon.store.desk import Desk
from rcmon.store.engine import PATIENCE, WRITES, make_engine, store_errors

T = TypeVar("T")


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
        address: Address,
        *,
        places: int = 1,
        follows: bool = True,
        durable: bool = False,
        longest: float | None = None,
        patience: float = PATIENCE,
        brief: bool = False,
    ) -> None:
        self._address, self._places, self._follows, self._durable = address, places, follows, durable
        self._longest, self._patience, self._brief = longest, patience, brief
        self._engine: AsyncEngine | None = None
        self._desk: Desk | None = None
        self._process = 0
        self._files = NO_FILES
        self._turn = asyncio.Semaphore(places)

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
                    yield await self._open()
                    self._remember()
            except StoreBusyError:
                raise
            except StoreError:
                await self._dispose()  # a connection that met trouble may keep it: read-only, an old page
                raise

    async def close(self) -> None:
        """End the connections and their threads, after those who use them."""
        for _ in range(self._places):
            await self._turn.acquire()
        await self._dispose()
        self._turn = asyncio.Semaphore(self._places)  # the next use may come from another loop

    async def _open(self) -> AsyncEngine:
        """Open the database; raises StoreCorruptError where it is not the one that was open before."""
        await self._look()
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

    async def _look(self) -> None:
        """See that the files are there, and those that the open connection has."""
        if self._address.path is None:
            return
        there, known = self._address.files(), self._files
        if there.store is None:
            raise StoreCorruptError(f"the store {self._address} is not there")
        if self._engine is None or known.store is None or self._places > 1:
            return
        if there.store != known.store and self._follows:
            await self._dispose()
        elif there.store != known.store:
            raise StoreCorruptError(f"the store {self._address} was exchanged for another file")
        elif known.log is not None and there.log != known.log:
            raise StoreCorruptError(f"the log of the store {self._address} was taken away")
        elif known.index is not None and there.index != known.index:
            # who opens it now locks another index than we do, and each would write over the other's log
            raise StoreCorruptError(f"the index of the log of the store {self._address} was taken away")

    def _remember(self) -> None:
        """Keep which files the connection opened: SQLite opens its log with the first statement."""
        if self._files.log is None or self._files.index is None:
            self._files = self._address.files()

    async def _dispose(self) -> None:
        (engine, self._engine), (desk, self._desk) = (self._engine, None), (self._desk, None)
        self._files = NO_FILES
        if self._process == os.getpid():
            if engine is not None:
                await engine.dispose()
            if desk is not None:
                await desk.close()

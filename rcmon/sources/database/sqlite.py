"""SQLite files through aiosqlite."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from ssl import SSLContext
from typing import Any
from urllib.parse import quote

import aiosqlite
from sqlalchemy import URL

from rcmon.errors import ConfigError, SourceError
from rcmon.sources.database.cutting import quietly
from rcmon.sources.database.driver import NOTHING, Parameters

ITERATED = 64
"""Rows that a cursor would fetch at once; none does, since all are fetched."""
WAL = b"\2\2"
"""What stands in the header of a file in WAL mode, at 18 (https://www.sqlite.org/fileformat.html)."""
STEPS = 20_000
"""How often SQLite asks whether it should go on: instructions of its virtual machine, about a millisecond."""


class SQLiteFile(aiosqlite.Connection):
    """An SQLite file whose thread has said its last word when `close()` returns, whoever else closes it.

    aiosqlite's own would wait for ever for what is asked of it after its end, and its thread, left to itself,
    would speak to a loop that is closed by then. There is no public way to see that a thread has ended.
    """

    _ending: asyncio.Future[Any] | None = None

    def stop(self) -> asyncio.Future[Any] | None:
        """Have the thread close the file and end, once it has done what it was asked before."""
        if self._running:
            self._ending = super().stop()
        return self._ending

    async def close(self) -> None:
        """Close the file, and wait for the end of the thread."""
        self.stop()
        while self._thread.is_alive():  # noqa: ASYNC110 - a thread that ends sets no event
            await asyncio.sleep(0.001)


class SQLiteLink:
    """An open SQLite file; a transaction sees one state of it throughout."""

    begin: Sequence[str] = ("PRAGMA query_only = ON", "BEGIN")

    def __init__(self, raw: aiosqlite.Connection) -> None:
        self.raw = raw
        self._stop_at = 0.0

    async def watch(self) -> None:
        """Have SQLite ask, between its steps, whether time is up."""
        await self.raw.set_progress_handler(lambda: int(time.monotonic() > self._stop_at), STEPS)

    def bounded(self, sql: str, limit: float) -> Sequence[str]:
        """Bound by the time at which SQLite is told to stop."""
        self._stop_at = time.monotonic() + limit
        return (sql,)

    async def end(self) -> None:
        """Do nothing: closing ends it."""

    async def discard(self) -> None:
        """Stop what runs and close; the connection's thread has ended then."""
        self._stop_at = 0.0
        await self.raw.close()


class SQLite:
    """SQLite files: opened read-only, never created, never declared immutable."""

    names = ("sqlite",)
    dialect = "sqlite+aiosqlite"
    extra = ""

    engine = NOTHING
    adapter = NOTHING

    def check(self, url: URL) -> None:
        """Ask for a plain path."""
        if not url.database or url.database == ":memory:" or url.database.startswith("file:") or url.host:
            raise ConfigError(
                "url names no file; right is sqlite:////ABSOLUTE/PATH or sqlite:///RELATIVE/PATH"
            )
        if url.query:
            raise ConfigError(f"url has the parameter {next(iter(url.query))!r}; an SQLite file takes none")

    async def connect(
        self, parameters: Parameters, password: str | None, limit: float, tls: SSLContext | None
    ) -> SQLiteLink:
        """Open the file `parameters["database"]`; a lock on it is waited for up to `limit` seconds."""
        if password is not None or tls is not None:
            raise SourceError("an SQLite file has no password")
        uri = _uri(Path(parameters["database"]))
        raw = SQLiteFile(
            partial(sqlite3.connect, uri, uri=True, isolation_level=None, timeout=limit), ITERATED
        )
        try:
            return await _open(raw, limit)
        except BaseException:
            # its thread works on, and would speak to a loop that may be closed by then
            await quietly(raw.close())
            raise

    def set_of(self, column: str) -> str:
        """Write the aggregate; in whatever order."""
        return f"GROUP_CONCAT(DISTINCT {column})"


async def _open(raw: aiosqlite.Connection, limit: float) -> SQLiteLink:
    await raw
    # whatever octets a text has: who reads it decides what is to become of those that are no UTF-8
    raw.text_factory = _text
    link = SQLiteLink(raw)
    link.bounded("", limit)
    await link.watch()
    return link


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def _uri(path: Path) -> str:
    """Write a path as what SQLite opens read-only and does not create."""
    if not path.is_file():
        raise SourceError(f"{path} is not a file; nothing was created")
    if _cannot_share(path):
        raise SourceError(
            f"{path} is in WAL mode, and SQLite reads that only where it can make {path.name}-shm beside it:"
            " let rcmon write in the directory, or make the copy with VACUUM INTO, which is in no such mode"
        )
    return f"file:{quote(str(path.absolute()))}?mode=ro"


def _cannot_share(path: Path) -> bool:
    """Tell whether a file is in WAL mode without the files that SQLite then needs, nor leave to make them."""
    with path.open("rb") as file:
        head = file.read(20)
    beside = all(path.with_name(path.name + end).exists() for end in ("-wal", "-shm"))
    return head[18:20] == WAL and not beside and not os.access(path.parent, os.W_OK)

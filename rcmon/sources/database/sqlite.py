"""SQLite files through aiosqlite."""

import time
from collections.abc import Sequence
from pathlib import Path
from ssl import SSLContext
from urllib.parse import quote

import aiosqlite
from sqlalchemy import URL

from rcmon.errors import ConfigError, SourceError
from rcmon.sources.database.driver import NOTHING, Parameters

STEPS = 20_000
"""How often SQLite asks whether it should go on: instructions of its virtual machine, about a millisecond."""


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
        """Stop what runs and close; the connection's thread ends."""
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
        raw = await aiosqlite.connect(uri, uri=True, isolation_level=None, timeout=limit)
        # whatever octets a text has: who reads it decides what is to become of those that are no UTF-8
        raw.text_factory = _text
        link = SQLiteLink(raw)
        link.bounded("", limit)
        await link.watch()
        return link

    def set_of(self, column: str) -> str:
        """Write the aggregate; in whatever order."""
        return f"GROUP_CONCAT(DISTINCT {column})"


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")


def _uri(path: Path) -> str:
    """Write a path as what SQLite opens read-only and does not create."""
    if not path.is_file():
        raise SourceError(f"{path} is not a file; nothing was created")
    return f"file:{quote(str(path.absolute()))}?mode=ro"

"""Where the store is: its database URL, checked and mapped to the asynchronous driver."""

import os
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from msgspec import Struct
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from rcmon.errors import ConfigError

DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
"""What a URL may begin with, and the driver that it stands for."""

FileId: TypeAlias = tuple[int, int] | None
"""A file that is there (device, inode)."""
ENDS = ("", "-wal", "-shm")
"""Of the names of an SQLite store's files: its own, its log's, that one's index's."""


class Files(Struct, frozen=True):
    """What is there of an SQLite store; None each where it is not."""

    store: FileId = None
    log: FileId = None
    """The write-ahead log."""
    index: FileId = None
    """Its index, by which all who have the store open share what is in the log."""


NO_FILES = Files()


class Address(Struct, frozen=True):
    """A store's place."""

    url: URL
    """What the engine connects to. An SQLite file is named such that connecting never creates it."""
    path: Path | None
    """The SQLite file, absolute; None: a server."""

    def __str__(self) -> str:
        """Name it for people, without a password."""
        return str(self.path) if self.path else self.url.render_as_string(hide_password=True)

    def files(self) -> Files:
        """Tell which files are there now; none on a server."""
        if self.path is None:
            return NO_FILES
        return Files(*(_file_id(name) for name in self.names()))

    def names(self) -> tuple[str, ...]:
        """Name the files of an SQLite store as they are opened: SQLite follows a link to the file."""
        return () if self.path is None else tuple(os.path.realpath(self.path) + end for end in ENDS)


def _file_id(name: str) -> FileId:
    try:
        found = Path(name).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def parse(url: str | URL) -> Address:
    """Read a database URL; raises ConfigError, which never shows the password."""
    wanted = "sqlite:///PATH or postgresql://USER@HOST/DATABASE"
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(f"the database URL cannot be read; right would be {wanted}") from None
    shown = parsed.render_as_string(hide_password=True)
    driver = DRIVERS.get(parsed.drivername)
    if driver is None:
        raise ConfigError(f"database {shown!r} is of no kind that rcmon stores in; right would be {wanted}")
    if not driver.startswith("sqlite"):
        if not parsed.database:
            raise ConfigError(f"database {shown!r} names no database; right would be {wanted}")
        return Address(parsed.set(drivername=driver), None)
    if parsed.database in (None, "", ":memory:") or parsed.query or parsed.host:
        raise ConfigError(f"database {shown!r} is not a file on its own; right would be sqlite:///PATH")
    path = Path(str(parsed.database)).absolute()
    name = f"file:{quote(str(path))}"
    return Address(URL.create(driver, database=name, query={"mode": "rw", "uri": "true"}), path)

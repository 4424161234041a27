"""The SQLite file itself: made with the right rights and mode, checked, and set aside when damaged.

All of it is synchronous and happens while no engine is open. Sources of the rules: sqlite.org's "How To
Corrupt" (a write-ahead log left behind would be played into the next file of that name) and "PRAGMA"
(auto_vacuum is fixed before the first table).
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct

from rcmon.errors import StoreBusyError, StoreError, StoreForeignError
from rcmon.store.engine import BUSY_SECONDS, DAMAGED
from rcmon.store.migrations import APPLICATION_ID, newer


class SetAside(Struct, frozen=True):
    """A damaged file that was moved out of the way."""

    path: Path
    """Where it is now."""
    reason: str


class Care(Struct, frozen=True):
    """What is known of a file before it is looked at."""

    known: int
    """The newest version of the schema."""
    ours: bool = False
    """Whether a store of ours was at that place while we ran: what is there instead is set aside."""
    damage: str | None = None
    """What was found wrong already."""


def prepare(path: Path, care: Care, now: float) -> SetAside | None:
    """See to a sound file at `path` in the right mode, whose schema is no newer than is known.

    Raises StoreError for a file that is another program's, has a newer schema, or cannot be used.
    """
    try:
        with _alone(path.parent):
            damage = _damage(path, care) if path.exists() else _left_over(path)
            aside = SetAside(path=_set_aside(path, now), reason=damage) if damage else None
            if not path.exists():
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            _set_mode(path)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"the store {path} cannot be used: {error}") from error
    return aside


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the directory's lock, so that two processes never set aside each other's new file."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def beside(path: Path) -> Iterator[None]:
    """Keep the file from being set aside while the block writes to it.

    Else a log that is begun beside a file just moved away would be played into the next file of that name.
    Raises StoreBusyError while the file is looked at or set aside.
    """
    try:
        handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise StoreError(f"the store {path} cannot be used: {error}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreBusyError(f"the store {path} is being looked at") from None
        yield
    finally:
        os.close(handle)


def connect(path: Path) -> sqlite3.Connection:
    """Open a file that is there, with nothing remembered of it."""
    uri = f"file:{quote(str(path))}?mode=rw"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def _damage(path: Path, care: Care) -> str | None:
    """Tell what is wrong with the file, None for nothing; raises StoreError where it is not ours."""
    ours = True  # so long as it does not show anything else
    try:
        with closing(connect(path)) as connection:
            application, version = marks(connection)
            ours = application == APPLICATION_ID
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if not ours and (application or tables):
                return _foreign(path, application, tables, care)
            if version > care.known:
                raise StoreError(f"{path}: {newer(version, care.known)}")
            return care.damage or first_fault(connection)
    except sqlite3.DatabaseError as error:
        if ours and is_damage(error):
            return str(error)
        raise


def marks(connection: sqlite3.Connection) -> tuple[int, int]:
    """Read whose file it is, and the version of its schema."""
    return int(pragma(connection, "application_id")), int(pragma(connection, "user_version"))


def _foreign(path: Path, application: int, tables: int, care: Care) -> str:
    """Say that the file is another program's; raises StoreForeignError where it may be older than us."""
    said = f"another program's database (application id {application}, {tables} tables)"
    if care.ours:
        return f"it was exchanged for {said}"
    raise StoreForeignError(f"{path} is {said}: give rcmon a file of its own")


def first_fault(connection: sqlite3.Connection) -> str | None:
    """Read the whole file and tell the first thing that is wrong with it; None: nothing."""
    verdict = pragma(connection, "quick_check(1)")
    return None if verdict == "ok" else verdict.partition("\n")[2] or verdict


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether an error comes from a damaged file."""
    return str(getattr(error, "sqlite_errorname", "")).startswith(DAMAGED)


def _left_over(path: Path) -> str | None:
    """Tell whether a log is there without its file: it must not be taken for the next file's."""
    log = path.with_name(path.name + "-wal")
    return "the file is gone, only its log was left" if log.exists() else None


def pragma(connection: sqlite3.Connection, name: str) -> str:
    """Ask SQLite for one value."""
    return str(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _set_aside(path: Path, now: float) -> Path:
    """Move the file and its log to a dated name; the log goes first, lest a new file gets it."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while any(aside.with_name(aside.name + suffix).exists() for suffix in ("", "-wal")):
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


def _set_mode(path: Path) -> None:
    """Set what the file keeps: incremental vacuum (before the first table) and the write-ahead log."""
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        mode = pragma(connection, "journal_mode=WAL")
    if mode != "wal":
        raise StoreError(f"{path}: its file system cannot hold a write-ahead log: put it on a local disk")

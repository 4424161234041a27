"""Reading back what was written, with a connection that remembers nothing, before anybody relies on it.

A writer goes on from its page cache over a file that was cut or overwritten; only this shows it.
"""

import sqlite3
import time
import zlib
from contextlib import closing
from pathlib import Path

from rcmon.errors import StoreBusyError, StoreCorruptError, StoreError
from rcmon.store.migrations import APPLICATION_ID, newer
from rcmon.store.sqlite import connect, first_fault, is_damage, marks
from rcmon.store.tables import COLUMNS

SHARE = 0.01
"""Of all time, what reading the whole file may take: a small one is read after each save."""


class Readback:
    """Looks after one SQLite file. All of it is synchronous."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._suspected = path.with_name(path.name + "-suspected")
        self._next_whole = 0.0

    def suspect(self, reason: str) -> bool:
        """Let whoever writes look at the whole file soon: a reader met damage.

        Tells whether that is new since the file was looked at.
        """
        try:
            with self._suspected.open("x") as file:
                file.write(f"{reason}\n")
        except OSError:
            return False  # it is told already; or whoever writes meets the same trouble
        return True

    def forget(self) -> None:
        """Drop the suspicion: the file was looked at."""
        self._suspected.unlink(missing_ok=True)

    def check(self, known: int, newest: int | None) -> None:
        """Look whether the file is our store, complete, and holds the snapshot `newest` whole.

        Raises StoreCorruptError where it is not, StoreError where it cannot be read.
        """
        try:
            with closing(connect(self._path)) as connection:
                fault = (
                    self._shape(connection, known) or _content(connection, newest) or self._whole(connection)
                )
        except sqlite3.OperationalError as error:
            if not is_damage(error):
                kind = StoreBusyError if "locked" in str(error) else StoreError
                raise kind(f"{self._path}: what was written cannot be read back: {error}") from error
            fault = str(error)
        except sqlite3.DatabaseError as error:
            fault = str(error)
        if fault:
            raise StoreCorruptError(f"{self._path}: {fault}")

    def _shape(self, connection: sqlite3.Connection, known: int) -> str | None:
        """Tell whether it is not a store of this version, with all its tables."""
        application, version = marks(connection)
        if application != APPLICATION_ID:
            return "it is no store of rcmon any more"
        if version > known:
            raise StoreError(f"{self._path}: {newer(version, known)}")
        return lost({name: _columns(connection, name) for name in COLUMNS})

    def _whole(self, connection: sqlite3.Connection) -> str | None:
        """Read the whole file, where it is suspected or so small that it may be read again already."""
        begun = time.monotonic()
        if begun < self._next_whole and not self._suspected.exists():
            return None
        fault = first_fault(connection)
        ended = time.monotonic()
        self._next_whole = ended + (ended - begun) / SHARE
        if fault is None:
            self.forget()
        return fault


def lost(columns: dict[str, frozenset[str]]) -> str | None:
    """Tell which table, or column of one, is not among those that are there; None: all are."""
    for table, wanted in COLUMNS.items():
        if missing := sorted(wanted - columns.get(table, frozenset())):
            named = "" if not columns.get(table) else f" the column {missing[0]} of"
            return f"it has lost{named} the table {table}"
    return None


def _columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    return frozenset(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))


def _content(connection: sqlite3.Connection, newest: int | None) -> str | None:
    """Tell whether the snapshot that was just written, or what readers read with it, is not what it was."""
    connection.execute("SELECT time, kind, text FROM note").fetchall()
    connection.execute("SELECT id, agent, site FROM series").fetchall()
    if newest is None:
        return None
    found = connection.execute("SELECT max(id) FROM snapshot").fetchone()[0]
    if found is None or found < newest:
        return f"it has lost snapshot {newest}"
    for key, body, checksum in connection.execute(
        "SELECT key, body, checksum FROM document WHERE snapshot = ?", (newest,)
    ):
        if zlib.crc32(body) != checksum:
            return f"document {key!r} of snapshot {newest} is damaged"
    return None

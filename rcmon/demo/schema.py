"""The WMAgent's schema in SQLite, and connections to databases that hold it."""

import sqlite3
from pathlib import Path

_SCHEMA = Path(__file__).with_name("schema.sql")


def create(path: Path) -> sqlite3.Connection:
    """Make a new agent's database with its tables, indexes and initial data; the caller closes it.

    Raises sqlite3.Error where the file cannot be made, or holds such tables already.
    """
    connection = connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.executescript(_SCHEMA.read_text(encoding="utf-8"))
    return connection


def connect(path: Path) -> sqlite3.Connection:
    """Open an agent's database for writing, in autocommit mode: transactions are begun by hand.

    What the simulation wrote may be lost with the machine: every start makes the databases anew, so no
    write waits for the disk.
    """
    connection = sqlite3.connect(path, isolation_level=None, timeout=5)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA journal_size_limit=4194304")
    return connection


def ids(connection: sqlite3.Connection, table: str) -> dict[str, int]:
    """Read a small table of names: id by name."""
    column = {"wmbs_location": "site_name", "wmbs_pnns": "pnn"}.get(table, "name")
    rows = connection.execute(f"SELECT {column}, id FROM {table}")  # noqa: S608 - names from this package
    return {str(name): int(row_id) for name, row_id in rows}

"""The schema's versions: Alembic's revisions in `versions`, each run once, all in one transaction.

The n-th revision makes version n. The number is kept where programs of any age look for it: SQLite's
`user_version`, on PostgreSQL the table `rcmon_version`; Alembic's own table follows it. A revision never
changes once it is released.
"""

import importlib
import logging
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, inspect, text

from rcmon.errors import StoreError
from rcmon.store.tables import METADATA

LOG = logging.getLogger(__name__)

APPLICATION_ID = 0x72636D6E
"""What marks an SQLite file as a store of rcmon: "rcmn"."""
LOCK = 0x72636D6E
"""PostgreSQL's advisory lock that lets one migration run at a time; it ends with the transaction."""
VERSION_TABLE = "rcmon_revision"
"""Alembic's own table."""


def revisions() -> tuple[str, ...]:
    """Give the names of all revisions, oldest first, as the files of `versions/` are named."""
    files = (Path(__file__).parent / "versions").glob("v[0-9]*.py")
    return tuple(sorted(path.stem[1:].partition("_")[0] for path in files))


def upgrade(connection: Connection, now: float, config: Any = None) -> bool:
    """Bring the schema to the newest version; tells whether it was made afresh.

    `config`: Alembic's, for other revisions than ours. Raises StoreError for a schema that is newer than
    the revisions, or a PostgreSQL database whose tables are somebody else's. (An SQLite file was looked at
    before: `rcmon.store.sqlite`.)
    """
    names = revisions() if config is None else _revising().revisions(config)
    sqlite = connection.dialect.name == "sqlite"
    version = _sqlite_version(connection) if sqlite else _server_version(connection)
    if version > len(names):
        raise StoreError(newer(version, len(names)))
    if version and not inspect(connection).has_table(VERSION_TABLE):  # made before there was Alembic here
        _revising().stamp(connection, config, names[version - 1])
    if version < len(names):
        _revising().upgrade(connection, config)
        if version:
            LOG.info("the store was upgraded from schema version %d to %d", version, len(names))
        _record(connection, len(names))
    if version == 0:
        seed(connection, now)
    return version == 0


def _revising() -> Any:
    """Load Alembic where something is to be done: it would take 10 MB of every process otherwise."""
    # while it is loaded, too, it tells what it is about to look at
    logging.getLogger("alembic").setLevel(logging.WARNING)
    return importlib.import_module("rcmon.store.revising")


def newer(version: int, known: int) -> str:
    """Say that a schema is from a later rcmon."""
    return (
        f"the store has schema version {version}, newer than the {known} that this rcmon knows: upgrade rcmon"
    )


def _sqlite_version(connection: Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())


def _server_version(connection: Connection) -> int:
    """Read PostgreSQL's version table, alone until the transaction ends; an empty database is version 0."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    there = set(inspect(connection).get_table_names())
    if "rcmon_version" in there:
        return int(connection.exec_driver_sql("SELECT max(version) FROM rcmon_version").scalar_one())
    if taken := sorted(there & METADATA.tables.keys()):
        raise StoreError(
            f"the database has tables of the same names that are not rcmon's ({', '.join(taken)}):"
            " give rcmon a database or a schema of its own"
        )
    connection.exec_driver_sql("CREATE TABLE rcmon_version (version BIGINT NOT NULL PRIMARY KEY)")
    return 0


def _record(connection: Connection, version: int) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version={version}")
    else:
        connection.execute(text("INSERT INTO rcmon_version VALUES (:version)"), {"version": version})


def seed(connection: Connection, now: float) -> None:
    """Let snapshot ids begin at `now`, in milliseconds.

    Readers know a snapshot as newer by its greater id: so it is over a store made afresh, too.
    """
    first = int(now * 1000)
    if connection.dialect.name == "sqlite":
        connection.execute(text("INSERT INTO sqlite_sequence VALUES ('snapshot', :first)"), {"first": first})
    else:
        name = "SELECT setval(pg_get_serial_sequence('snapshot', 'id'), :first)"
        connection.execute(text(name), {"first": first})

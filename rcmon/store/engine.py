"""The engine: how connections are made and transactions begin, and what the drivers' errors mean."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from rcmon.errors import StoreBusyError, StoreCorruptError, StoreError
from rcmon.store.address import Address

BUSY_SECONDS = 5
"""How long a write waits for another one on SQLite."""
SERVER_SECONDS = {"timeout": 10, "command_timeout": 60}
"""How long connecting to a server, and one statement there, may take."""
JOURNAL_BYTES = 64 << 20
"""What SQLite's write-ahead log is cut back to: a log that large absorbs a save without new disk space."""
WRITES = "rcmon_writes"
"""Execution option of a transaction that will write."""

_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_SERVER_BUSY = ("55P03", "57014", "40001", "40P01")
_NO_TABLE = "42P01"


def make_engine(address: Address) -> AsyncEngine:
    """Make an engine of one connection; nothing is opened yet. Raises StoreError without a driver."""
    sqlite = address.path is not None
    arguments = {"timeout": BUSY_SECONDS, "isolation_level": None} if sqlite else SERVER_SECONDS
    try:
        engine = create_async_engine(
            address.url,
            connect_args=arguments,
            poolclass=AsyncAdaptedQueuePool,
            pool_size=1,
            max_overflow=0,
            pool_pre_ping=not sqlite,
            hide_parameters=True,
        )
    except ModuleNotFoundError as error:
        raise StoreError(f"{address} needs {error.name}: pip install '.[postgres]' in the clone") from None
    if sqlite:
        event.listen(engine.sync_engine, "connect", _set_up)
        event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _set_up(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Set what SQLite keeps per connection."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA journal_size_limit={JOURNAL_BYTES}")
    cursor.close()


def _begin(connection: Connection) -> None:
    """Begin as SQLite needs it: a transaction that writes only later fails at once when it must wait."""
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def store_errors(address: Address) -> Iterator[None]:
    """Turn what the drivers raise into StoreError and its kinds."""
    try:
        yield
    except DBAPIError as error:
        raise _meaning(address, error.orig) from error
    except sqlite3.Error as error:
        raise _meaning(address, error) from error
    except (SQLAlchemyError, OSError, OverflowError) as error:
        raise StoreError(f"{address}: {_line(error)}") from error


def _meaning(address: Address, error: BaseException | None) -> StoreError:
    """Find what a driver's error means to us."""
    message = f"{address}: {_line(error)}"
    code = str(getattr(error, "sqlstate", None) or "")
    name = (
        error.sqlite_errorname
        if isinstance(error, sqlite3.Error) and hasattr(error, "sqlite_errorname")
        else ""
    )
    if name.startswith(_BUSY) or code in _SERVER_BUSY:
        return StoreBusyError(message)
    if name.startswith(_DAMAGED) or code == _NO_TABLE or "no such table" in message:
        return StoreCorruptError(message)
    return StoreError(message)


def _line(error: BaseException | None) -> str:
    """Take the first line of an error's text."""
    text = str(error).strip().partition("\n")[0]
    return text or type(error).__name__

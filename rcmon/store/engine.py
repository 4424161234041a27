"""The engine: how connections are made and transactions begin, and what the drivers' errors mean."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, NullPool, QueuePool

from rcmon.errors import StoreBusyError, StoreCorruptError, StoreError
from rcmon.store.address import Address

PATIENCE = 60.0
"""How many seconds one statement on a server may take, unless told otherwise: what is not answered by then
is taken for cut off."""
_CONNECTING = 10.0
"""How many seconds connecting to a server may take, where a statement may take as long."""
IDLE = 4.0
"""Seconds that one who writes beside others may leave a server waiting in the midst of it: one that was
stopped there would keep what it has locked from everybody else."""
_LIMITS = {
    "idle_in_transaction_session_timeout": f"{IDLE:g}s",
    "tcp_keepalives_idle": "2",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
}
"""How PostgreSQL finds out within seconds that nobody is there any more."""
BUSY_SECONDS = 5
"""How long a write waits for another one on SQLite."""
SQLITE: Mapping[str, Any] = {"timeout": BUSY_SECONDS, "isolation_level": None}
SERVER: Mapping[str, Any] = {
    "statement_cache_size": 0,
    "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": str,
}
"""Statements on a server have no name.

Behind PgBouncer each transaction may get another connection to the server: there a statement that was
prepared by name is not known, or is somebody else's. The one without a name lasts as long as is needed.
"""
JOURNAL_BYTES = 64 << 20
"""What SQLite's write-ahead log is cut back to: a log that large absorbs a save without new disk space."""
PRAGMAS = ("synchronous=NORMAL", "foreign_keys=ON", f"journal_size_limit={JOURNAL_BYTES}")
"""What SQLite keeps per connection."""
DURABLE = "synchronous=FULL"
"""What keeps each commit on SQLite even where the machine loses power right after it."""
WRITES = "rcmon_writes"
"""Execution option of a transaction that will write."""

_STEPS = 10_000
"""Of SQLite's machine, between two looks at the clock: about a millisecond."""
_INTERRUPTED = "SQLITE_INTERRUPT"
_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")
DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR_SHORT_READ")
"""How the names of SQLite's errors begin that a damaged file causes."""
_SERVER_BUSY = ("55P03", "57014", "40001", "40P01")
_NO_TABLE = "42P01"


def make_engine(
    address: Address,
    *,
    keeps: bool,
    durable: bool = False,
    longest: float | None = None,
    patience: float = PATIENCE,
    brief: bool = False,
) -> AsyncEngine:
    """Make an engine; nothing is opened yet. Raises StoreError without a driver.

    `keeps`: of one connection that stays open; else each use has one of its own, and `longest` may say how
    many seconds it has there, on a server each of its statements. `durable`: what is committed outlasts a
    loss of power, too, as on a server in any case. `patience`: seconds that a server has to answer.
    `brief`: a server ends what writes and then says nothing for `IDLE` seconds.
    """
    sqlite = address.path is not None
    waits = {"timeout": min(patience, _CONNECTING), "command_timeout": patience}
    arguments = SQLITE if sqlite else {**SERVER, **waits}
    pool: dict[str, Any] = {"poolclass": NullPool}
    if keeps:
        pool = {
            "poolclass": AsyncAdaptedQueuePool,
            "pool_size": 1,
            "max_overflow": 0,
            "pool_pre_ping": not sqlite,
        }
    try:
        engine = create_async_engine(address.url, connect_args=dict(arguments), hide_parameters=True, **pool)
    except ModuleNotFoundError as error:
        raise StoreError(f"{address} needs {error.name}: pip install '.[postgres]' in the clone") from None
    if sqlite:
        _prepare(engine.sync_engine, durable=durable)
    else:
        event.listen(engine.sync_engine, "begin", _hold_still)
        if brief:
            event.listen(engine.sync_engine, "begin", _keep_brief)
    if longest is not None:
        limit, when = (_limit_use, "connect") if sqlite else (_limit_statements, "begin")
        event.listen(engine.sync_engine, when, partial(limit, longest))
    return engine


def make_desk_engine(address: Address, *, keeps: bool, longest: float | None) -> Engine:
    """Make an engine for threads that read an SQLite file; the rest is as in `make_engine`."""
    pool: dict[str, Any] = {"poolclass": NullPool}
    if keeps:
        pool = {"poolclass": QueuePool, "pool_size": 1, "max_overflow": 0}
    arguments = {**SQLITE, "check_same_thread": False}  # it is closed by another one than it is used by
    url = address.url.set(drivername="sqlite")
    engine = create_engine(url, connect_args=arguments, hide_parameters=True, **pool)
    _prepare(engine)
    if longest is not None:
        event.listen(engine, "connect", partial(_limit_desk, longest))
    return engine


def _prepare(engine: Engine, *, durable: bool = False) -> None:
    event.listen(engine, "connect", partial(_set_up, durable=durable))
    event.listen(engine, "begin", _begin)


def _set_up(connection: DBAPIConnection, _: ConnectionPoolEntry, *, durable: bool) -> None:
    cursor = connection.cursor()
    for pragma in (*PRAGMAS, *((DURABLE,) if durable else ())):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _limit_use(longest: float, connection: Any, _: ConnectionPoolEntry) -> None:
    """Have SQLite give up by itself: nothing else ends a statement whose thread works."""
    is_over = _end_of(longest)
    connection.run_async(lambda driver: driver.set_progress_handler(is_over, _STEPS))


def _limit_desk(longest: float, connection: Any, _: ConnectionPoolEntry) -> None:
    connection.set_progress_handler(_end_of(longest), _STEPS)


def _end_of(longest: float) -> Callable[[], bool]:
    end = time.monotonic() + longest
    return lambda: time.monotonic() > end


def _limit_statements(longest: float, connection: Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(longest * 1000)}")


def _begin(connection: Connection) -> None:
    """Begin as SQLite needs it: a transaction that writes only later fails at once when it must wait."""
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _hold_still(connection: Connection) -> None:
    """Let all that a reader asks of a server be of one moment, as it is on SQLite."""
    if not connection.get_execution_options().get(WRITES):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _keep_brief(connection: Connection) -> None:
    if connection.get_execution_options().get(WRITES):
        limit_idle(connection)


def limit_idle(connection: Connection) -> None:
    """Have PostgreSQL end the transaction that runs once it is left alone for `IDLE` seconds."""
    limits = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in _LIMITS.items())
    connection.exec_driver_sql(f"SELECT {limits}")


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
    if name == _INTERRUPTED:
        return StoreBusyError(f"{address}: it took too long, and was given up")
    if name.startswith(_BUSY) or code in _SERVER_BUSY:
        return StoreBusyError(message)
    if name.startswith(DAMAGED) or code == _NO_TABLE or "no such table" in message:
        return StoreCorruptError(message)
    return StoreError(message)


def _line(error: BaseException | None) -> str:
    """Take the first line of an error's text."""
    text = str(error).strip().partition("\n")[0]
    return text or type(error).__name__

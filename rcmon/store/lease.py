"""The collector's lease: of several replicas on one database, its holder collects, the others serve.

Whoever takes it begins a term, whose name nobody had before; whoever takes it longer stays in its term. Who
writes as the collector does so in a transaction that holds its term in place: one that slept, or was cut
off, while another one took the lease finds another term there, and writes nothing.
"""

import logging
import secrets
import time
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, func, literal, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.errors import StoreBusyError
from rcmon.store.engine import IDLE, limit_idle
from rcmon.store.tables import LEASE

LOG = logging.getLogger(__name__)

_COLLECTOR = LEASE.c.name == "collector"
_ABANDONED = text(
    """
    SELECT pg_terminate_backend(holding.pid)
    FROM lease
    JOIN pg_locks AS holding ON holding.locktype = 'transactionid' AND holding.transactionid = lease.xmax
    JOIN pg_stat_activity AS backend ON backend.pid = holding.pid
    WHERE lease.name = 'collector' AND holding.granted AND backend.usename = current_user
      AND backend.wait_event = 'ClientRead'
      AND backend.state_change < clock_timestamp() - make_interval(secs => :idle)
    """
)
"""Ends who holds the lease in place and waits for its client. PostgreSQL itself ends such a one only between
two statements: not where it was cut off in the midst of one that is executed for many rows, and not one of a
release that asked for no such limit."""


class Term(Struct, frozen=True):
    """For as long as one process has the lease without a break."""

    replica: str
    """The same over restarts, and no other's."""
    token: str

    def __str__(self) -> str:
        """Write it as the lease has it."""
        return f"{self.replica} {self.token}"


def new_term(replica: str) -> Term:
    """Make a term that nobody had before."""
    return Term(replica, secrets.token_hex(8))


def database_clock(connection: AsyncConnection, now: float | None) -> ColumnElement[Any]:
    """Tell the time by PostgreSQL's clock, which all replicas share, when the statement comes to its row.

    That of an SQLite file is this machine's.
    """
    if now is None and connection.dialect.name != "sqlite":
        return func.extract("epoch", func.clock_timestamp())
    return literal(time.time() if now is None else now)


async def take_lease(
    connection: AsyncConnection,
    term: Term,
    seconds: float,
    now: float | None = None,
    *,
    succeeds: bool = False,
) -> float | None:
    """Begin a term where the lease is free; None: it has begun, else in how many seconds it may be free.

    `now` defaults to the database's clock. `succeeds`: a term of the same replica is over, since its process
    is. A lease that lasts longer than twice what is taken was taken before the clock was set back: it is over
    too, or nobody would collect until then if its holder is dead. (A holder that lives takes another.)
    """
    clock = database_clock(connection, now)
    free = or_(LEASE.c.expires <= clock, LEASE.c.expires > clock + 2 * seconds)
    if succeeds:
        mine = LEASE.c.holder.startswith(f"{term.replica} ", autoescape=True)
        free = or_(free, LEASE.c.holder == term.replica, mine)
    # one that another transaction holds in place is not free: its holder writes
    wanted = select(LEASE.c.holder).where(_COLLECTOR, free).with_for_update(skip_locked=True)
    if (await connection.execute(wanted)).first() is None:
        found = await connection.execute(select(LEASE.c.expires - clock).where(_COLLECTOR))
        left = float(found.scalar_one())
        if left <= 0 and connection.dialect.name != "sqlite":
            await _end_abandoned(connection)
        return max(0.0, left)
    await connection.execute(
        update(LEASE).where(_COLLECTOR).values(holder=str(term), expires=clock + seconds)
    )
    return None


async def _end_abandoned(connection: AsyncConnection) -> None:
    """End a transaction that holds a lease in place that is over, while its process says nothing."""
    for _ in await connection.execute(_ABANDONED, {"idle": IDLE}):
        LOG.warning("ended who held the collector's lease and said nothing for %g s", IDLE)


async def renew_lease(
    connection: AsyncConnection, term: Term, seconds: float, now: float | None = None
) -> bool:
    """Let a term last so many seconds from now, unless another one has begun; tells whether it does.

    The lease stays as it is then until the transaction ends.
    """
    longer = update(LEASE).where(_COLLECTOR, LEASE.c.holder == str(term))
    changed = await connection.execute(longer.values(expires=database_clock(connection, now) + seconds))
    return changed.rowcount == 1


async def is_term(connection: AsyncConnection, term: Term) -> bool:
    """Tell whether no other term has begun, without waiting for anybody who holds this one in place."""
    found = await connection.execute(select(LEASE.c.holder).where(_COLLECTOR))
    return bool(found.scalar_one() == str(term))


async def hold_lease(connection: AsyncConnection, term: Term, seconds: float) -> None:
    """Hold a term in place until the transaction ends; raises StoreBusyError where another has begun.

    A transaction that its process leaves alone for `IDLE` seconds is given up by the server.
    """
    if connection.dialect.name != "sqlite":
        await connection.run_sync(limit_idle)
    if not await renew_lease(connection, term, seconds):
        found = await connection.execute(select(LEASE.c.holder).where(_COLLECTOR))
        actual = found.scalar_one().rpartition(" ")[0]
        whose = "is over" if actual == term.replica or not actual else f"went to {actual!r}"
        raise StoreBusyError(f"the collector's lease of {term.replica!r} {whose}")


async def drop_lease(connection: AsyncConnection, term: Term) -> None:
    """Give the lease back; somebody else's is left alone."""
    mine = LEASE.c.holder == str(term)
    await connection.execute(update(LEASE).where(_COLLECTOR, mine).values(holder="", expires=0.0))

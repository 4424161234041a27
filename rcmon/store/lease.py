"""The collector's lease: of several replicas on one database, its holder collects, the others serve."""

import time

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.errors import StoreBusyError
from rcmon.store.tables import LEASE

_COLLECTOR = LEASE.c.name == "collector"


async def database_time(connection: AsyncConnection) -> float:
    """Read PostgreSQL's clock, the one that all replicas share; that of an SQLite file is this machine's."""
    if connection.dialect.name == "sqlite":
        return time.time()
    row = await connection.execute(select(func.extract("epoch", func.clock_timestamp())))
    return float(row.scalar_one())


async def take_lease(
    connection: AsyncConnection, holder: str, seconds: float, now: float | None = None
) -> bool:
    """Take or renew the lease; tells whether `holder` has it now. `now` defaults to the database's clock.

    One that lasts longer than twice what is taken was taken before the clock was set back: it is over too,
    or nobody would collect until then if its holder is dead. (A holder that lives takes another.)
    """
    if now is None:
        now = await database_time(connection)
    set_back = LEASE.c.expires > now + 2 * seconds
    free = or_(LEASE.c.holder == holder, LEASE.c.expires <= now, set_back)
    taken = update(LEASE).where(_COLLECTOR, free).values(holder=holder, expires=now + seconds)
    return (await connection.execute(taken)).rowcount == 1


async def drop_lease(connection: AsyncConnection, holder: str) -> None:
    """Give the lease back; somebody else's is left alone."""
    mine = LEASE.c.holder == holder
    await connection.execute(update(LEASE).where(_COLLECTOR, mine).values(holder="", expires=0.0))


async def hold_lease(connection: AsyncConnection, holder: str) -> None:
    """Keep the lease in place until the transaction ends; raises StoreBusyError where another has it.

    A collector that was stopped for longer than its lease lasted finds out here, before it writes.
    """
    found = await connection.execute(select(LEASE.c.holder).where(_COLLECTOR).with_for_update())
    if (actual := found.scalar_one()) != holder:
        raise StoreBusyError(f"the collector's lease of {holder!r} went to {actual!r}")

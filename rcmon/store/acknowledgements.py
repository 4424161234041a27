"""The statements about acknowledgements of findings. Each runs in its caller's transaction."""

from msgspec import Struct
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.store.tables import ACKNOWLEDGEMENT as TABLE

MOST = 10_000
"""How many are read."""


class Acknowledgement(Struct, frozen=True):
    """Somebody knows of a finding, and says until when that is enough. Times: seconds since the epoch."""

    finding: str
    """Its id."""
    made: float
    until: float
    subject: str
    """Whose certificate acknowledged it."""
    reason: str


async def keep_acknowledgement(connection: AsyncConnection, made: Acknowledgement) -> None:
    """Keep an acknowledgement in place of the one before."""
    await end_acknowledgement(connection, made.finding)
    values = {name: getattr(made, name) for name in made.__struct_fields__}
    await connection.execute(insert(TABLE).values(values))


async def end_acknowledgement(connection: AsyncConnection, finding: str) -> bool:
    """End a finding's acknowledgement; tells whether there was one."""
    return (await connection.execute(delete(TABLE).where(TABLE.c.finding == finding))).rowcount > 0


async def read_acknowledgements(connection: AsyncConnection) -> tuple[Acknowledgement, ...]:
    """Read those that last longest, by finding; also those whose time is over: the clock may be wrong."""
    columns = [TABLE.c[name] for name in Acknowledgement.__struct_fields__]
    rows = await connection.execute(select(*columns).order_by(TABLE.c.until.desc()).limit(MOST))
    return tuple(sorted((Acknowledgement(*row) for row in rows), key=lambda one: one.finding))


async def prune_acknowledgements(connection: AsyncConnection, before: float) -> None:
    """Forget those that ended before that time."""
    await connection.execute(delete(TABLE).where(TABLE.c.until < before))

"""One writer after the other: what a transaction reads before it writes stays as it read it."""

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection


async def take_turn(connection: AsyncConnection, table: Table) -> None:
    """Wait until no other transaction writes to a table, and keep others from it until this one ends."""
    if connection.dialect.name != "sqlite":  # there a transaction that writes is alone as it is
        await connection.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))

"""Giving free pages of the SQLite file back to the file system, little by little."""

from sqlalchemy.ext.asyncio import AsyncConnection

RESERVE = 4096
"""Free pages that stay in the file: the next snapshots take them, even on a full disk."""
AT_ONCE = 2048
"""Free pages given back in one transaction."""


async def vacuum(connection: AsyncConnection) -> bool:
    """Give some free pages back, in a transaction of its own; tells whether there are more to give."""
    free = int((await connection.exec_driver_sql("PRAGMA freelist_count")).scalar_one())
    surplus = min(free - RESERVE, AT_ONCE)
    if surplus <= 0:
        return False
    # The statement gives a row without columns for each page it frees, and a cursor stops after the first.
    # A script runs to its end; it commits what is open before.
    driver = (await connection.get_raw_connection()).driver_connection
    if driver is not None:
        await driver.executescript(f"PRAGMA incremental_vacuum({surplus})")
    return free - surplus > RESERVE

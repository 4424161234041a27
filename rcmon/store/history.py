"""The statements that write history. Each runs in its caller's transaction.

A series (one site in one agent) is a step function: a row says what it became, and holds until the next.
Rows are of the last hours; older ones are packed by day into chunks (`rcmon.store.packing`). A series'
newest row is never packed, and every packed point is older than its rows.
"""

from collections.abc import Sequence

from msgspec import msgpack
from sqlalchemy import BindParameter, and_, bindparam, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.model import HistoryRow
from rcmon.store.horizons import read_horizons, set_horizon
from rcmon.store.packing import cut_chunks
from rcmon.store.tables import CHUNK, HISTORY, SERIES

SERIES_AT_ONCE = 50
"""How many series one transaction prunes."""

VALUES = ("state", "running_slots", "pending_slots", "running_jobs", "pending_jobs")


async def add_history(connection: AsyncConnection, rows: Sequence[HistoryRow]) -> None:
    """Insert rows, making series as needed.

    What a series has from that time on is replaced: the clock was set back, or the cycle ran again.
    """
    if not rows:
        return
    numbers = await _series(connection, {(row.agent, row.site) for row in rows})
    values = [
        {
            "series": numbers[row.agent, row.site],
            "time": row.time,
            "tasks": None if row.tasks is None else msgpack.encode(row.tasks),
        }
        | {name: getattr(row, name) for name in VALUES}
        for row in rows
    ]
    later = and_(HISTORY.c.series == bindparam("of"), HISTORY.c.time >= bindparam("since"))
    await connection.execute(
        delete(HISTORY).where(later), [{"of": value["series"], "since": value["time"]} for value in values]
    )
    first = min(row.time for row in rows)
    if first < (await connection.run_sync(read_horizons)).packed:
        for row in rows:
            await cut_chunks(connection, numbers[row.agent, row.site], row.time)
        await set_horizon(connection, "packed", first)
    await connection.execute(insert(HISTORY), values)


async def _series(connection: AsyncConnection, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Find the numbers of series, making those that are new."""
    everything = select(SERIES.c.agent, SERIES.c.site, SERIES.c.id)
    numbers = {(row.agent, row.site): row.id for row in await connection.execute(everything)}
    if new := sorted(wanted - numbers.keys()):
        await connection.execute(insert(SERIES), [{"agent": agent, "site": site} for agent, site in new])
        numbers = {(row.agent, row.site): row.id for row in await connection.execute(everything)}
    return numbers


async def read_series(connection: AsyncConnection) -> list[int]:
    """Read the numbers of all series."""
    return list((await connection.execute(select(SERIES.c.id))).scalars())


async def prune_history(connection: AsyncConnection, series: Sequence[int], before: float) -> None:
    """Delete what ended before that time, and the series of which nothing is left.

    A series that lives keeps the point that held at that time, however old.
    """
    one: BindParameter[int] = bindparam("of")
    old = HISTORY.alias()
    held = select(func.max(old.c.time)).where(old.c.series == one, old.c.time <= before).scalar_subquery()
    over = and_(*(HISTORY.c[name].is_(None) for name in VALUES))
    latest = select(func.max(old.c.time)).where(old.c.series == one).scalar_subquery()
    each = [{"of": number} for number in series]
    await _prune_chunks(connection, each, before)
    for gone in (
        HISTORY.c.time < held,
        and_(HISTORY.c.time < before, HISTORY.c.time == latest, over),
    ):
        await connection.execute(delete(HISTORY).where(HISTORY.c.series == one, gone), each)
    left = select(HISTORY.c.series).where(HISTORY.c.series == SERIES.c.id).exists()
    await connection.execute(delete(SERIES).where(SERIES.c.id == one, ~left), each)


async def _prune_chunks(connection: AsyncConnection, each: list[dict[str, int]], before: float) -> None:
    """Delete the days that ended before a time, but for the last where no row held then."""
    one: BindParameter[int] = bindparam("of")
    day = int(before // 86400) * 86400
    old, other = HISTORY.alias(), CHUNK.alias()
    by_row = select(old.c.series).where(old.c.series == one, old.c.time <= before).exists()
    last = (
        select(func.max(other.c.begin))
        .where(other.c.series == one, other.c.step == CHUNK.c.step, other.c.begin < day)
        .correlate(CHUNK)
        .scalar_subquery()
    )
    for gone in (and_(CHUNK.c.begin < day, by_row), CHUNK.c.begin < last):
        await connection.execute(delete(CHUNK).where(CHUNK.c.series == one, gone), each)

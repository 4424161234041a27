"""The statements about the grid's totals: few enough to stay rows, 2 MB a year by quarters of an hour."""

from collections.abc import Sequence
from itertools import pairwise

from msgspec import msgpack
from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.errors import UNREADABLE, StoreCorruptError
from rcmon.model import GridPoint
from rcmon.store.packing import COARSE
from rcmon.store.tables import GRID

AT_ONCE = 2000
"""Rows that one transaction looks at or deletes."""

_POINT = msgpack.Decoder(GridPoint)


async def add_grid(connection: AsyncConnection, point: GridPoint) -> None:
    """Add a point; what there is from its time on is replaced."""
    await connection.execute(delete(GRID).where(GRID.c.time >= point.time))
    await connection.execute(insert(GRID), {"time": point.time, "body": msgpack.encode(point)})


def read_grid(connection: Connection, since: float, until: float, limit: int) -> Sequence[GridPoint]:
    """Read the points from the one that held at `since` to `until`, oldest first, `limit` at most."""
    within = _within(connection, since, until)
    found = select(GRID.c.body).where(within).order_by(GRID.c.time).limit(limit)
    try:
        return [_POINT.decode(body) for body in connection.execute(found).scalars()]
    except UNREADABLE as error:
        raise StoreCorruptError(f"a point of the grid's history cannot be read: {error}") from error


def count_grid(connection: Connection, since: float, until: float) -> int:
    """Count the points that `read_grid` would read without a limit."""
    counted = select(func.count()).select_from(GRID).where(_within(connection, since, until))
    return int(connection.execute(counted).scalar_one())


def _within(connection: Connection, since: float, until: float) -> ColumnElement[bool]:
    """Choose the points from the one that held at `since` to `until`."""
    held = select(func.max(GRID.c.time)).where(GRID.c.time <= since)
    begin = connection.execute(held).scalar_one()
    return and_(GRID.c.time >= (since if begin is None else begin), GRID.c.time <= until)


def read_steps(connection: Connection, times: Sequence[int]) -> list[GridPoint | None]:
    """Read what held at each of some times, which ascend; None: nothing is kept of then."""
    if not times:
        return []
    found = read_grid(connection, times[0], times[0], 1)
    held = found[0] if found and found[0].time <= times[0] else None
    steps: dict[int, GridPoint | None] = {}
    for time, after in pairwise(times):
        steps[time] = held
        latest = select(func.max(GRID.c.time)).where(GRID.c.time > time, GRID.c.time <= after)
        last = connection.execute(latest).scalar_one()
        if last is not None:
            held = read_grid(connection, last, last, 1)[0]
    steps[times[-1]] = held
    return [steps[time] for time in times]


async def thin_grid(connection: AsyncConnection, since: float, before: float) -> float:
    """Leave what held at each quarter of an hour, from a time to a time; tells how far it is done."""
    some = select(GRID.c.time).where(GRID.c.time > since, GRID.c.time <= before)
    found = await connection.execute(some.order_by(GRID.c.time).limit(AT_ONCE))
    times = list(found.scalars())
    quarters = [-(-time // COARSE) for time in times]
    gone = [time for time, one, after in zip(times, quarters, quarters[1:], strict=False) if one == after]
    for first in range(0, len(gone), 500):
        await connection.execute(delete(GRID).where(GRID.c.time.in_(gone[first : first + 500])))
    return before if len(times) < AT_ONCE else (quarters[-1] - 1) * COARSE


async def prune_grid(connection: AsyncConnection, before: float) -> bool:
    """Delete what ended before a time; tells whether there is more."""
    held = select(func.max(GRID.c.time)).where(GRID.c.time <= before).scalar_subquery()
    some = select(GRID.c.time).where(GRID.c.time < held).order_by(GRID.c.time).limit(500)
    times = list((await connection.execute(some)).scalars())
    if times:
        await connection.execute(delete(GRID).where(GRID.c.time.in_(times)))
    return bool(times)

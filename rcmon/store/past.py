"""Reading history: rows and packed days as one. Each statement runs in its caller's transaction."""

import asyncio
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Row, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.model import HistoryRow
from rcmon.store.chunks import Points, from_rows, milliseconds, unpack
from rcmon.store.packing import COARSE, DAY, row_of
from rcmon.store.tables import CHUNK, HISTORY, SERIES

MOST_AT_ONCE = 500
"""Series that one statement names."""


LATEST = 1e11
"""A time beyond every point, seconds since the epoch."""


class Series(Struct, frozen=True):
    """One site in one agent."""

    number: int
    agent: str
    site: str


class Wanted(Struct, frozen=True):
    """What of the past is read; times in seconds since the epoch."""

    since: float
    until: float
    step: int = 0
    """COARSE: what held at each multiple of it is enough; 0: every change that is kept."""
    tasks: bool = False
    """With task types."""


async def find_series(
    connection: AsyncConnection, site: str | None = None, agent: str | None = None
) -> list[Series]:
    """Find series, by agent and site."""
    found = select(SERIES.c.id, SERIES.c.agent, SERIES.c.site).order_by(SERIES.c.agent, SERIES.c.site)
    if site is not None:
        found = found.where(SERIES.c.site == site)
    if agent is not None:
        found = found.where(SERIES.c.agent == agent)
    return [Series(*row) for row in await connection.execute(found)]


async def read_past(
    connection: AsyncConnection, series: Sequence[Series], wanted: Wanted
) -> dict[Series, Points]:
    """Read each series' points from the one that held at `since` to `until`; none where nothing held."""
    past: dict[Series, Points] = {}
    for first in range(0, len(series), MOST_AT_ONCE):
        some = series[first : first + MOST_AT_ONCE]
        numbers = [one.number for one in some]
        chunks = await _chunks(connection, numbers, wanted)
        rows = await _rows(connection, numbers, wanted)
        past |= await asyncio.to_thread(_together, some, chunks, rows, wanted)
    return past


async def _chunks(connection: AsyncConnection, series: Sequence[int], wanted: Wanted) -> Sequence[Row[Any]]:
    """Read the days that reach into what is wanted, and the one before: it tells what held at the begin."""
    day = day_of(wanted.since)
    other = CHUNK.alias()
    last = (
        select(func.max(other.c.begin))
        .where(other.c.series == SERIES.c.id, other.c.step == COARSE, other.c.begin < day)
        .correlate(SERIES)
        .scalar_subquery()
    )
    within = and_(CHUNK.c.begin >= day, CHUNK.c.begin <= day_of(wanted.until))
    if wanted.step:
        within = and_(within, CHUNK.c.step == COARSE)
    columns = [CHUNK.c.series, CHUNK.c.begin, CHUNK.c.step, CHUNK.c.body]
    if wanted.tasks:
        columns.append(CHUNK.c.tasks)
    before = and_(CHUNK.c.step == COARSE, CHUNK.c.begin == last)
    found: list[Row[Any]] = []
    for some in (within, before):
        statement = (
            select(*columns).select_from(SERIES).join(CHUNK, and_(CHUNK.c.series == SERIES.c.id, some))
        )
        found += await connection.execute(statement.where(SERIES.c.id.in_(series)))
    return found


async def _rows(connection: AsyncConnection, series: Sequence[int], wanted: Wanted) -> Sequence[Row[Any]]:
    """Read the rows of the last hours within what is wanted, and each series' that held at its begin."""
    earlier = HISTORY.alias()
    held = (
        select(func.max(earlier.c.time))
        .where(earlier.c.series == SERIES.c.id, earlier.c.time <= wanted.since)
        .correlate(SERIES)
        .scalar_subquery()
    )
    columns = [column for column in HISTORY.c if wanted.tasks or column is not HISTORY.c.tasks]
    found: list[Row[Any]] = []
    for some in (
        HISTORY.c.time == held,
        and_(HISTORY.c.time > wanted.since, HISTORY.c.time <= wanted.until),
    ):
        joined = (
            select(*columns).select_from(SERIES).join(HISTORY, and_(HISTORY.c.series == SERIES.c.id, some))
        )
        ordered = joined.where(SERIES.c.id.in_(series)).order_by(HISTORY.c.series, HISTORY.c.time)
        found += await connection.execute(ordered)
    return found


def _together(
    series: Iterable[Series], chunks: Iterable[Row[Any]], rows: Iterable[Row[Any]], wanted: Wanted
) -> dict[Series, Points]:
    """Put each series' chunks and rows together; of a day that has both chunks the finer one is taken."""
    days: dict[int, dict[int, Row[Any]]] = {}
    for chunk in sorted(chunks, key=lambda one: -one.step):
        days.setdefault(chunk.series, {})[chunk.begin] = chunk
    by_series: dict[int, list[HistoryRow]] = {}
    for row in rows:
        by_series.setdefault(row.series, []).append(row_of(row, tasks=wanted.tasks))
    past = {}
    for one in series:
        points = Points()
        for _, chunk in sorted(days.get(one.number, {}).items()):
            points.extend(unpack(chunk.body, chunk.tasks if wanted.tasks else None))
        points.extend(from_rows(by_series.get(one.number, ())))
        past[one] = _within(points, wanted)
    return past


def _within(points: Points, wanted: Wanted) -> Points:
    first = max(place_at(points, wanted.since), 0)
    end = place_at(points, wanted.until) + 1
    return points if (first, end) == (0, len(points.times)) else points.part(first, end)


def place_at(points: Points, time: float) -> int:
    """Find the point that held at a time in seconds since the epoch; -1: none did."""
    if time >= LATEST:
        return len(points.times) - 1
    return bisect_right(points.times, milliseconds(time)) - 1


def places_at(points: Points, times: Iterable[int]) -> list[int]:
    """Find the points that held at some times in milliseconds since the epoch; -1: none did."""
    known = points.times
    return [bisect_right(known, time) - 1 for time in times]


def day_of(time: float) -> int:
    """Give the begin of a time's day (UTC)."""
    return int(min(time, LATEST) // DAY) * DAY


async def read_days(connection: AsyncConnection, series: Sequence[Series], wanted: Wanted) -> dict[int, int]:
    """Count the points of each day (its begin) that reaches into what is wanted, before any is read."""
    numbers = [one.number for one in series]
    days: dict[int, int] = {}
    within = (
        CHUNK.c.series.in_(numbers),
        CHUNK.c.begin >= day_of(wanted.since),
        CHUNK.c.begin <= day_of(wanted.until),
    )
    counted: dict[tuple[int, int], int] = {}
    finest_last = select(CHUNK.c.series, CHUNK.c.begin, CHUNK.c.points).where(*within)
    for row in await connection.execute(finest_last.order_by(CHUNK.c.step.desc())):
        counted[row.series, row.begin] = row.points
    for (_, begin), points in counted.items():
        days[begin] = days.get(begin, 0) + points
    recent = HISTORY.c.time > wanted.since
    found = select(HISTORY.c.time).where(
        HISTORY.c.series.in_(numbers), recent, HISTORY.c.time <= wanted.until
    )
    for time in (await connection.execute(found)).scalars():
        begin = day_of(time)
        days[begin] = days.get(begin, 0) + 1
    return days

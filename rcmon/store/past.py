"""Reading history: rows and packed days as one. Each statement runs in its caller's transaction.

What is fetched is unpacked apart from the connection: that is work, and waits for what is urgent.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Row, and_, func, select

from rcmon.store.chunks import Points, from_rows, unpack
from rcmon.store.packing import COARSE, DAY, row_of
from rcmon.store.tables import CHUNK, HISTORY, SERIES
from rcmon.timestamps import milliseconds

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
    only: str = ""
    """The one of them that matters: of packed days the others are left out; empty: none are."""


class Fetched(Struct, frozen=True):
    """What the store holds of some series in what is wanted, as it is stored."""

    wanted: Wanted
    series: Sequence[Series]
    days: Mapping[int, Sequence[Row[Any]]]
    """Packed days by the series' number, oldest first, the finer of those that there are twice."""
    rows: Mapping[int, Sequence[Row[Any]]]
    """Rows of the last hours, likewise."""


def find_series(connection: Connection, site: str | None = None, agent: str | None = None) -> list[Series]:
    """Find series, by agent and site."""
    found = select(SERIES.c.id, SERIES.c.agent, SERIES.c.site).order_by(SERIES.c.agent, SERIES.c.site)
    if site is not None:
        found = found.where(SERIES.c.site == site)
    if agent is not None:
        found = found.where(SERIES.c.agent == agent)
    return [Series(*row) for row in connection.execute(found)]


def fetch(connection: Connection, series: Sequence[Series], wanted: Wanted) -> Fetched:
    """Fetch each series' points from the one that held at `since` to `until`."""
    days: dict[int, dict[int, Row[Any]]] = {}
    rows: dict[int, list[Row[Any]]] = {}
    for first in range(0, len(series), MOST_AT_ONCE):
        numbers = [one.number for one in series[first : first + MOST_AT_ONCE]]
        for chunk in sorted(_chunks(connection, numbers, wanted), key=lambda one: -one.step):
            days.setdefault(chunk.series, {})[chunk.begin] = chunk
        for row in _rows(connection, numbers, wanted):
            rows.setdefault(row.series, []).append(row)
    ordered = {number: [own[begin] for begin in sorted(own)] for number, own in days.items()}
    return Fetched(wanted, series, ordered, rows)


def unpacked(fetched: Fetched, rest: Callable[[], None] = lambda: None) -> dict[Series, Points]:
    """Unpack what was fetched; no points where nothing held. `rest` is called after each day."""
    past, wanted = {}, fetched.wanted
    for one in fetched.series:
        points = Points()
        for chunk in fetched.days.get(one.number, ()):
            points.extend(unpack(chunk.body, chunk.tasks if wanted.tasks else None, wanted.only))
            rest()
        points.extend(from_rows(row_of(row, tasks=wanted.tasks) for row in fetched.rows.get(one.number, ())))
        past[one] = _within(points, wanted)
    return past


def _chunks(connection: Connection, series: Sequence[int], wanted: Wanted) -> Sequence[Row[Any]]:
    """Read the days that reach into what is wanted, and the one before: it tells what held at the begin."""
    day = day_of(wanted.since)
    other = CHUNK.alias()
    last = (
        select(func.max(other.c.begin))
        .where(other.c.series == SERIES.c.id, other.c.step == COARSE, other.c.begin < day)
        .correlate(SERIES)
        .scalar_subquery()
    )
    coarse = and_(CHUNK.c.step == COARSE, CHUNK.c.begin >= func.coalesce(last, day))
    fine = and_(CHUNK.c.step == 0, CHUNK.c.begin >= day)
    columns = [CHUNK.c.series, CHUNK.c.begin, CHUNK.c.step, CHUNK.c.body]
    if wanted.tasks:
        columns.append(CHUNK.c.tasks)
    found: list[Row[Any]] = []
    for some in (coarse,) if wanted.step else (coarse, fine):
        within = and_(CHUNK.c.series == SERIES.c.id, some, CHUNK.c.begin <= day_of(wanted.until))
        joined = select(*columns).select_from(SERIES).join(CHUNK, within)
        found += connection.execute(joined.where(SERIES.c.id.in_(series)))
    return found


def _rows(connection: Connection, series: Sequence[int], wanted: Wanted) -> Sequence[Row[Any]]:
    """Read the rows of the last hours within what is wanted, and each series' that held at its begin."""
    earlier = HISTORY.alias()
    held = (
        select(func.max(earlier.c.time))
        .where(earlier.c.series == SERIES.c.id, earlier.c.time <= wanted.since)
        .correlate(SERIES)
        .scalar_subquery()
    )
    columns = [column for column in HISTORY.c if wanted.tasks or column is not HISTORY.c.tasks]
    within = and_(HISTORY.c.time >= func.coalesce(held, wanted.since), HISTORY.c.time <= wanted.until)
    joined = select(*columns).select_from(SERIES).join(HISTORY, and_(HISTORY.c.series == SERIES.c.id, within))
    ordered = joined.where(SERIES.c.id.in_(series)).order_by(HISTORY.c.series, HISTORY.c.time)
    return connection.execute(ordered).all()


def _within(points: Points, wanted: Wanted) -> Points:
    first = max(place_at(points, wanted.since), 0)
    end = place_at(points, wanted.until) + 1
    return points if (first, end) == (0, len(points.times)) else points.part(first, end)


def place_at(points: Points, time: float) -> int:
    """Find the point that held at a time in seconds since the epoch; -1: none did."""
    if time >= LATEST:
        return len(points.times) - 1
    return bisect_right(points.times, milliseconds(time)) - 1


def day_of(time: float) -> int:
    """Give the begin of a time's day (UTC)."""
    return int(min(time, LATEST) // DAY) * DAY


def read_days(connection: Connection, series: Sequence[Series], wanted: Wanted) -> dict[int, int]:
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
    for row in connection.execute(finest_last.order_by(CHUNK.c.step.desc())):
        counted[row.series, row.begin] = row.points
    for (_, begin), points in counted.items():
        days[begin] = days.get(begin, 0) + points
    recent = HISTORY.c.time > wanted.since
    found = select(HISTORY.c.time).where(
        HISTORY.c.series.in_(numbers), recent, HISTORY.c.time <= wanted.until
    )
    for time in connection.execute(found).scalars():
        begin = day_of(time)
        days[begin] = days.get(begin, 0) + 1
    return days

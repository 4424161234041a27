"""Every change of one site in a part of its history, page by page."""

import asyncio
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.model import HistoryRow
from rcmon.store.packing import DAY
from rcmon.store.past import Series, Wanted, day_of, fetch, find_series, read_days, unpacked


class Span(Struct, frozen=True):
    """What part of history is asked for; times in seconds since the epoch."""

    since: float
    until: float
    limit: int
    """How many changes at most."""
    agent: str | None = None
    """None: every agent."""
    task: str = ""
    """The task type that is wanted, without the others where that is less work; empty: none is."""


class Extract(Struct, frozen=True):
    """A part of one site's history."""

    known: bool
    """Whether anything at all is kept of it."""
    held: Sequence[HistoryRow]
    """What each agent's series was when the part begins: rows of that time or earlier, by agent."""
    changes: Sequence[HistoryRow]
    """What they became within it, oldest first. Changes of one time are never parted."""
    total: int
    """How many changes there are from its begin to the end that was asked for."""
    next: float | None
    """Where to go on; None: that is all."""


async def read_site(connection: AsyncConnection, site: str, span: Span) -> Extract:
    """Read a part of a site's history: no more days than one page needs."""
    series = await connection.run_sync(find_series, site, span.agent)
    days = await connection.run_sync(read_days, series, Wanted(span.since, span.until))
    end = _end(days, span)
    wanted = Wanted(span.since, end, tasks=bool(span.task), only=span.task)
    held, changes = await _rows(connection, series, wanted)
    total = sum(days[day] for day in days if day_of(span.since) < day < day_of(span.until))
    for day in {day_of(span.since), day_of(span.until)}:
        wanted = Wanted(max(span.since, _before(day)), min(span.until, _before(day + DAY)))
        total += len((await _rows(connection, series, wanted))[1])
    next_time = None
    if len(changes) > span.limit:
        next_time = changes[span.limit].time
        page = [row for row in changes if row.time < next_time]
        changes = page or [row for row in changes if row.time == next_time]
    return Extract(bool(series), held, changes, total, next_time if len(changes) < total else None)


async def _rows(
    connection: AsyncConnection, series: Sequence[Series], wanted: Wanted
) -> tuple[list[HistoryRow], list[HistoryRow]]:
    """Read what held at a part's begin, and what changed after it."""
    held: list[HistoryRow] = []
    changes: list[HistoryRow] = []
    past = await asyncio.to_thread(unpacked, await connection.run_sync(fetch, series, wanted))
    for one, points in past.items():
        for place in range(len(points.times)):
            row = points.row(place, one.agent, one.site)
            (held if row.time <= wanted.since else changes).append(row)
    return held, sorted(changes, key=lambda row: row.time)


def _end(days: dict[int, int], span: Span) -> float:
    """Find how far to read, to have more than one page: whole days, the first one not counted."""
    count = 0
    for day in sorted(days):
        count += days[day] if day > day_of(span.since) else 0
        if count > span.limit:
            return min(span.until, _before(day + DAY))
    return span.until


def _before(day: int) -> float:
    """Give the last millisecond before a day."""
    return day - 0.001

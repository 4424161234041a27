"""Packing history: rows of some hours ago become two chunks per series and day (UTC).

One chunk holds every change, until it is thinned away; the other what held at each quarter of an hour.
"""

import asyncio
import logging
import time as clock
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from msgspec import msgpack
from sqlalchemy import Row, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.errors import UNREADABLE, StoreCorruptError
from rcmon.model import HistoryRow, TaskPoint
from rcmon.store.chunks import Points, from_rows, pack, unpack
from rcmon.store.notes import add_lost
from rcmon.store.tables import CHUNK, HISTORY
from rcmon.timestamps import milliseconds

LOG = logging.getLogger(__name__)

DAY = 86400
COARSE = 900
"""Seconds between the points that are kept longest."""
STEPS = (0, COARSE)
ROWS_AT_ONCE = 3000
"""Of one series in one transaction: two days of a change each minute."""

_TASKS = msgpack.Decoder(tuple[TaskPoint, ...])

Day = dict[int, Points | None]
"""What is there of one day, by step; None: it cannot be read."""


def row_of(row: Row[Any], agent: str = "", site: str = "", *, tasks: bool = True) -> HistoryRow:
    """Read a row, with its task types where they are wanted. Raises StoreCorruptError."""
    try:
        by_task = _TASKS.decode(row.tasks) if tasks and row.tasks is not None else None
    except UNREADABLE as error:
        raise StoreCorruptError(f"the task types of a row of history cannot be read: {error}") from error
    numbers = (row.running_slots, row.pending_slots, row.running_jobs, row.pending_jobs)
    return HistoryRow(row.time, agent, site, row.state, *numbers, by_task)


async def pack_series(connection: AsyncConnection, series: int, before: float) -> bool:
    """Pack a series' rows up to the one that held at a time; tells whether there are more."""
    old = select(HISTORY).where(HISTORY.c.series == series, HISTORY.c.time < before)
    found = await connection.execute(old.order_by(HISTORY.c.time).limit(ROWS_AT_ONCE))
    rows = [_readable_row(row) for row in found]
    if len(rows) < 2:  # noqa: PLR2004 - the one that held stays
        return False
    days = [
        (int(day) * DAY, list(some))
        for day, some in groupby(rows[:-1], lambda row: milliseconds(row.time) // (DAY * 1000))
    ]
    begins = [begin for begin, _ in days]
    found = await connection.execute(
        select(CHUNK).where(CHUNK.c.series == series, CHUNK.c.begin.in_(begins)).order_by(CHUNK.c.step)
    )
    there = await asyncio.to_thread(_read_days, found.all())
    await _tell_lost(connection, series, there)
    chunks = await asyncio.to_thread(_packed, series, days, there)
    await _put(connection, series, begins, chunks)
    await connection.execute(
        delete(HISTORY).where(HISTORY.c.series == series, HISTORY.c.time < rows[-1].time)
    )
    return len(rows) == ROWS_AT_ONCE


async def cut_chunks(connection: AsyncConnection, series: int, time: float) -> None:
    """Take away what a series has from a time on: the clock was set back."""
    found = select(CHUNK).where(CHUNK.c.series == series, CHUNK.c.begin > int(time) - DAY)
    there = _read_days((await connection.execute(found.order_by(CHUNK.c.step))).all())
    await _tell_lost(connection, series, there)
    for begin, day in there.items():
        for step, read in day.items():
            points = _mended(day, begin, step)
            left = points.take(range(sum(one < milliseconds(time) for one in points.times)))
            if read is not None and len(left.times) == len(points.times):
                continue
            key = (CHUNK.c.series == series, CHUNK.c.step == step, CHUNK.c.begin == begin)
            await connection.execute(delete(CHUNK).where(*key))
            if left.times:
                await connection.execute(insert(CHUNK), [_chunk(series, step, begin, left)])


async def thin(connection: AsyncConnection, series: Sequence[int], before: float) -> None:
    """Leave only the quarters of an hour of the days that ended before a time."""
    old = (CHUNK.c.series.in_(series), CHUNK.c.step == 0, CHUNK.c.begin <= int(before) - DAY)
    await connection.execute(delete(CHUNK).where(*old))


def _readable_row(row: Row[Any]) -> HistoryRow:
    """Read a row; task types that cannot be read are not known."""
    try:
        return row_of(row)
    except StoreCorruptError as error:
        LOG.warning("series %d has no task types from %.0f on: %s", row.series, row.time, error)
        return row_of(row, tasks=False)


def _read_days(chunks: Iterable[Row[Any]]) -> dict[int, Day]:
    """Read what is packed of some days, by their begin."""
    days: dict[int, Day] = {}
    for row in chunks:
        days.setdefault(row.begin, {})[row.step] = _readable(row)
    return days


def _readable(row: Row[Any]) -> Points | None:
    """Read a packed day, and without its task types where only those cannot be read."""
    for tasks in (row.tasks, None):
        try:
            return unpack(row.body, tasks)
        except StoreCorruptError as error:
            LOG.warning("series %d, day %d, step %d: %s", row.series, row.begin, row.step, error)
    return None


async def _tell_lost(connection: AsyncConnection, series: int, days: Mapping[int, Day]) -> None:
    """Keep a note of the days that cannot be read."""
    for begin, day in days.items():
        for step, points in day.items():
            if points is None:
                what = f"the packed history of series {series}, day {begin}, step {step}"
                await add_lost(connection, f"{what}, cannot be read", clock.time())


def _mended(day: Day, begin: int, step: int) -> Points:
    """Give what is known of a day: of one that cannot be read what is packed of it by the other step.

    Where nothing is left, nothing is known from its begin on: what held before would seem to have lasted.
    """
    if step not in day:
        return Points()
    own = day[step]
    if own is not None:
        return own
    other = next((points for points in day.values() if points is not None), None)
    if other is None:
        return from_rows([HistoryRow(float(begin), "", "", None, None, None, None, None)])
    whole = other.take(range(len(other.times)))
    return whole.thinned(step * 1000) if step else whole


def _packed(
    series: int, days: Iterable[tuple[int, list[HistoryRow]]], there: Mapping[int, Day]
) -> list[dict[str, object]]:
    """Make the chunks of some days, each with what is there of it already."""
    chunks = []
    for begin, rows in days:
        new = from_rows(rows)
        known = {step: _mended(there.get(begin, {}), begin, step) for step in STEPS}
        for step, points in known.items():
            points.extend(new)
            chunks.append(_chunk(series, step, begin, points.thinned(step * 1000) if step else points))
    return chunks


def _chunk(series: int, step: int, begin: int, points: Points) -> dict[str, object]:
    body, tasks = pack(points)
    return {
        "series": series, "step": step, "begin": begin,
        "points": len(points.times), "body": body, "tasks": tasks,
    }  # fmt: skip


async def _put(
    connection: AsyncConnection, series: int, begins: Sequence[int], chunks: Sequence[dict[str, object]]
) -> None:
    await connection.execute(delete(CHUNK).where(CHUNK.c.series == series, CHUNK.c.begin.in_(begins)))
    await connection.execute(insert(CHUNK), chunks)

"""Packing history: rows of some hours ago become two chunks per series and day (UTC).

One chunk holds every change, until it is thinned away; the other what held at each quarter of an hour.
"""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from msgspec import msgpack
from sqlalchemy import Row, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.errors import UNREADABLE, StoreCorruptError
from rcmon.model import HistoryRow, TaskPoint
from rcmon.store.chunks import Points, from_rows, milliseconds, pack, unpack
from rcmon.store.tables import CHUNK, HISTORY

DAY = 86400
COARSE = 900
"""Seconds between the points that are kept longest."""
STEPS = (0, COARSE)
ROWS_AT_ONCE = 3000
"""Of one series in one transaction: two days of a change each minute."""

_TASKS = msgpack.Decoder(tuple[TaskPoint, ...])


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
    rows = [row_of(row) for row in found]
    if len(rows) < 2:  # noqa: PLR2004 - the one that held stays
        return False
    days = [
        (int(day) * DAY, list(some))
        for day, some in groupby(rows[:-1], lambda row: milliseconds(row.time) // (DAY * 1000))
    ]
    there: dict[tuple[int, int], Row[Any]] = {}
    begins = [begin for begin, _ in days]
    for row in await connection.execute(
        select(CHUNK).where(CHUNK.c.series == series, CHUNK.c.begin.in_(begins))
    ):
        there[row.begin, row.step] = row
    chunks = await asyncio.to_thread(_packed, series, days, there)
    await _put(connection, series, begins, chunks)
    await connection.execute(
        delete(HISTORY).where(HISTORY.c.series == series, HISTORY.c.time < rows[-1].time)
    )
    return len(rows) == ROWS_AT_ONCE


async def cut_chunks(connection: AsyncConnection, series: int, time: float) -> None:
    """Take away what a series has from a time on: the clock was set back."""
    found = select(CHUNK).where(CHUNK.c.series == series, CHUNK.c.begin > int(time) - DAY)
    for row in list(await connection.execute(found)):
        points = unpack(row.body, row.tasks)
        left = points.take(range(sum(one < milliseconds(time) for one in points.times)))
        if len(left.times) < len(points.times):
            key = (CHUNK.c.series == series, CHUNK.c.step == row.step, CHUNK.c.begin == row.begin)
            await connection.execute(delete(CHUNK).where(*key))
            if left.times:
                await connection.execute(insert(CHUNK), [_chunk(series, row.step, row.begin, left)])


async def thin(connection: AsyncConnection, series: Sequence[int], before: float) -> None:
    """Leave only the quarters of an hour of the days that ended before a time."""
    old = (CHUNK.c.series.in_(series), CHUNK.c.step == 0, CHUNK.c.begin <= int(before) - DAY)
    await connection.execute(delete(CHUNK).where(*old))


def _packed(
    series: int,
    days: Iterable[tuple[int, list[HistoryRow]]],
    there: dict[tuple[int, int], Row[Any]],
) -> list[dict[str, object]]:
    """Make the chunks of some days, each with what is there of it already."""
    chunks = []
    for begin, rows in days:
        new = from_rows(rows)
        for step in STEPS:
            known = there.get((begin, step))
            points = Points() if known is None else unpack(known.body, known.tasks)
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

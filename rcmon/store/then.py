"""Reading what held at one moment: every series, the agents, the sources; in its caller's transaction."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Row, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.model import HistoryRow
from rcmon.store.chunks import milliseconds, pick
from rcmon.store.horizons import NEVER, read_horizons
from rcmon.store.packing import COARSE, row_of
from rcmon.store.past import MOST_AT_ONCE, Series, day_of
from rcmon.store.tables import CHUNK, GRID, HISTORY, JOURNAL, SERIES


class KeptSince(Struct, frozen=True):
    """Since when history tells what held; times in seconds since the epoch."""

    since: float | None
    """None: nothing is kept at all."""
    raw: float
    """Since when it does so at any moment; before, at each multiple of COARSE."""

    def step(self, time: float) -> int:
        """Tell how many seconds lie between the moments at which it is known what held; 0: none."""
        return COARSE if time < self.raw else 0


async def read_kept(connection: AsyncConnection) -> KeptSince:
    """Read since when."""
    horizons = await read_horizons(connection)
    first = (await connection.execute(select(func.min(GRID.c.time)))).scalar_one()
    if first is None or first > horizons.kept:  # a store may have been upgraded to the grid's totals later
        firsts = [first, await _first(connection)]
        first = min((time for time in firsts if time is not None), default=None)
    since = None if first is None else max(first, horizons.kept)
    return KeptSince(since, horizons.raw if horizons.raw > NEVER else 0.0)


async def read_then(
    connection: AsyncConnection, series: Sequence[Series], time: float, *, tasks: bool = True
) -> list[HistoryRow]:
    """Read what held at a time, in the series' order; without what was not there.

    Before `KeptSince.raw` the time must be a multiple of COARSE. Without `tasks` task types are None.
    """
    held: list[HistoryRow] = []
    fine = time >= (await read_horizons(connection)).raw
    for first in range(0, len(series), MOST_AT_ONCE):
        some = {one.number: one for one in series[first : first + MOST_AT_ONCE]}
        found = {
            row.series: row_of(row, some[row.series].agent, some[row.series].site, tasks=tasks)
            for row in await _rows(connection, some, time)
        }
        for earlier in (False, True):
            left = [number for number in some if number not in found]
            chunks = await _chunks(connection, left, time, fine=fine, earlier=earlier, tasks=tasks)
            picked = await asyncio.to_thread(_picked, chunks, some, milliseconds(time))
            found |= {number: row for number, row in picked.items() if row is not None}
        held += (found[number] for number in some if number in found)
    return [row for row in held if not _is_gone(row)]


async def read_last(connection: AsyncConnection, kind: str, time: float) -> dict[str, Any]:
    """Read what the journal tells of each subject of a kind at a time, by the agent's or the other name.

    None: it was not there. A subject of which the journal does not reach back so far is missing.
    """
    name = func.coalesce(JOURNAL.c.agent, JOURNAL.c.subject)
    known: dict[str, Any] = {}
    for number, within, told in (
        (func.min(JOURNAL.c.id), JOURNAL.c.time > time, JOURNAL.c.old),
        (func.max(JOURNAL.c.id), JOURNAL.c.time <= time, JOURNAL.c.new),
    ):
        chosen = select(number).where(JOURNAL.c.kind == kind, within).group_by(name)
        found = select(name, told).where(JOURNAL.c.id.in_(chosen.scalar_subquery()))
        known |= {
            subject: None if value is None else json.loads(value)
            for subject, value in await connection.execute(found)
        }
    return known


async def _first(connection: AsyncConnection) -> float | None:
    """Find the first point of any series: one look at each, and none through them."""
    row = select(func.min(HISTORY.c.time)).where(HISTORY.c.series == SERIES.c.id)
    chunk = select(func.min(CHUNK.c.begin)).where(CHUNK.c.series == SERIES.c.id, CHUNK.c.step == COARSE)
    firsts = select(
        row.correlate(SERIES).scalar_subquery().label("row"),
        chunk.correlate(SERIES).scalar_subquery().label("chunk"),
    ).subquery()
    found = await connection.execute(select(func.min(firsts.c.row), func.min(firsts.c.chunk)))
    return min((time for time in found.one() if time is not None), default=None)


async def _rows(connection: AsyncConnection, series: Iterable[int], time: float) -> Sequence[Row[Any]]:
    """Read the rows that held: what was packed is older than any of its series."""
    earlier = HISTORY.alias()
    held = (
        select(func.max(earlier.c.time))
        .where(earlier.c.series == SERIES.c.id, earlier.c.time <= time)
        .correlate(SERIES)
        .scalar_subquery()
    )
    of = and_(HISTORY.c.series == SERIES.c.id, HISTORY.c.time == held)
    joined = select(HISTORY).select_from(SERIES).join(HISTORY, of)
    return (await connection.execute(joined.where(SERIES.c.id.in_(list(series))))).all()


async def _chunks(
    connection: AsyncConnection,
    series: Sequence[int],
    time: float,
    *,
    fine: bool,
    earlier: bool,
    tasks: bool,
) -> Sequence[Row[Any]]:
    """Read each series' day of a time, or the last one before it: the end of a day is in both kinds."""
    day, step = day_of(time), 0 if fine and not earlier else COARSE
    within = and_(CHUNK.c.step == step, CHUNK.c.begin == day)
    if earlier:
        other = CHUNK.alias()
        last = (
            select(func.max(other.c.begin))
            .where(other.c.series == SERIES.c.id, other.c.step == step, other.c.begin < day)
            .correlate(SERIES)
            .scalar_subquery()
        )
        within = and_(CHUNK.c.step == step, CHUNK.c.begin == last)
    columns = [CHUNK.c.series, CHUNK.c.body, *([CHUNK.c.tasks] if tasks else [])]
    joined = select(*columns).select_from(SERIES).join(CHUNK, and_(CHUNK.c.series == SERIES.c.id, within))
    return (await connection.execute(joined.where(SERIES.c.id.in_(series)))).all() if series else ()


def _picked(chunks: Iterable[Row[Any]], series: dict[int, Series], time: int) -> dict[int, HistoryRow | None]:
    return {
        row.series: pick(
            row.body,
            getattr(row, "tasks", None),
            time,
            series[row.series].agent,
            series[row.series].site,
        )
        for row in chunks
    }


def _is_gone(row: HistoryRow) -> bool:
    numbers = (row.running_slots, row.pending_slots, row.running_jobs, row.pending_jobs)
    return row.state is None and all(number is None for number in numbers)

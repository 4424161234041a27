"""Reading what held at one moment: every series, the agents, the sources.

Each statement runs in its caller's transaction; what is packed is read apart from it: that is work.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Column, Connection, Row, and_, func, select

from rcmon.errors import StoreCorruptError
from rcmon.model import HistoryRow
from rcmon.store.horizons import NEVER, read_horizons
from rcmon.store.journal import told
from rcmon.store.moment import MomentReader
from rcmon.store.packing import COARSE, row_of
from rcmon.store.past import MOST_AT_ONCE, Series, day_of
from rcmon.store.store import Store
from rcmon.store.tables import CHUNK, GRID, HISTORY, JOURNAL, SERIES
from rcmon.timestamps import milliseconds

LOG = logging.getLogger(__name__)

_AT_ONCE = 16
"""Packed days that are read without a rest: half a millisecond's work."""


class KeptSince(Struct, frozen=True):
    """Since when history tells what held; times in seconds since the epoch."""

    since: float | None
    """None: nothing is kept at all."""
    raw: float
    """Since when it does so at any moment; before, at each multiple of COARSE."""

    def step(self, time: float) -> int:
        """Tell how many seconds lie between the moments at which it is known what held; 0: none."""
        return COARSE if time < self.raw else 0


def read_kept(connection: Connection) -> KeptSince:
    """Read since when."""
    horizons = read_horizons(connection)
    first = connection.execute(select(func.min(GRID.c.time))).scalar_one()
    if first is None or first > horizons.kept:  # a store may have been upgraded to the grid's totals later
        firsts = [first, _first(connection)]
        first = min((time for time in firsts if time is not None), default=None)
    since = None if first is None else max(first, horizons.kept)
    return KeptSince(since, horizons.raw if horizons.raw > NEVER else 0.0)


class FetchedThen(Struct, frozen=True):
    """What the store holds of some series at a time, but for what was last packed on an earlier day."""

    series: Sequence[Series]
    time: float
    tasks: bool
    """Whether with task types."""
    held: Mapping[int, HistoryRow]
    """By the series' number, what rows tell."""
    days: Sequence[Row[Any]]
    """The others' packed day."""


def fetch_then(
    connection: Connection, series: Sequence[Series], time: float, *, tasks: bool = True
) -> FetchedThen:
    """Fetch what held at a time; before `KeptSince.raw` it must be a multiple of COARSE."""
    held: dict[int, HistoryRow] = {}
    days: list[Row[Any]] = []
    step = 0 if time >= read_horizons(connection).raw else COARSE
    for first in range(0, len(series), MOST_AT_ONCE):
        some = {one.number: one for one in series[first : first + MOST_AT_ONCE]}
        for row in _rows(connection, some, time):
            held[row.series] = row_of(row, some[row.series].agent, some[row.series].site, tasks=tasks)
        left = [number for number in some if number not in held]
        days += _days(connection, left, time, step, tasks=tasks)
    return FetchedThen(series, time, tasks, held, days)


async def read_then(store: Store, fetched: FetchedThen) -> list[HistoryRow]:
    """Tell what held, in the series' order; without what was not there. Without `tasks` they are None."""
    found, time = dict(fetched.held), milliseconds(fetched.time)
    by_number = {one.number: one for one in fetched.series}
    found |= await store.compute(lambda rest: _picked(fetched.days, by_number, time, rest))
    if left := [number for number in by_number if number not in found]:
        earlier = await store.ask(lambda connection: _earlier(connection, left, fetched))
        found |= await store.compute(lambda rest: _picked(earlier, by_number, time, rest))
    return [row for number in by_number if (row := found.get(number)) is not None and not _is_gone(row)]


def read_last(connection: Connection, kind: str, time: float) -> dict[str, Any]:
    """Read what the journal tells of each subject of a kind at a time, by the agent's or the other name.

    None: it was not there. A subject of which the journal does not reach back so far is missing, as
    is one of which it cannot be read.
    """
    name = func.coalesce(JOURNAL.c.agent, JOURNAL.c.subject)
    known: dict[str, Any] = {}
    for number, within, column in (
        (func.min(JOURNAL.c.id), JOURNAL.c.time > time, JOURNAL.c.old),
        (func.max(JOURNAL.c.id), JOURNAL.c.time <= time, JOURNAL.c.new),
    ):
        chosen = select(number).where(JOURNAL.c.kind == kind, within).group_by(name)
        found = select(name, column).where(JOURNAL.c.id.in_(chosen.scalar_subquery()))
        for subject, value in connection.execute(found):
            try:
                known[subject] = told(value)
            except StoreCorruptError as error:
                LOG.warning("of %s %s an entry is left out: %s", kind, subject, error)
    return known


def _first(connection: Connection) -> float | None:
    """Find the first point of any series: one look at each, and none through them."""
    row = select(func.min(HISTORY.c.time)).where(HISTORY.c.series == SERIES.c.id)
    chunk = select(func.min(CHUNK.c.begin)).where(CHUNK.c.series == SERIES.c.id, CHUNK.c.step == COARSE)
    firsts = select(
        row.correlate(SERIES).scalar_subquery().label("row"),
        chunk.correlate(SERIES).scalar_subquery().label("chunk"),
    ).subquery()
    found = connection.execute(select(func.min(firsts.c.row), func.min(firsts.c.chunk)))
    return min((time for time in found.one() if time is not None), default=None)


def _rows(connection: Connection, series: Iterable[int], time: float) -> Sequence[Row[Any]]:
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
    return connection.execute(joined.where(SERIES.c.id.in_(list(series)))).all()


def _days(
    connection: Connection, series: Sequence[int], time: float, step: int, *, tasks: bool
) -> Sequence[Row[Any]]:
    """Read each series' day of a time."""
    within = and_(CHUNK.c.series.in_(series), CHUNK.c.step == step, CHUNK.c.begin == day_of(time))
    return connection.execute(select(*_columns(tasks=tasks)).where(within)).all() if series else ()


def _earlier(connection: Connection, series: Sequence[int], fetched: FetchedThen) -> Sequence[Row[Any]]:
    """Read each series' last day before that of a time: the end of a day is in both kinds."""
    other = CHUNK.alias()
    last = (
        select(func.max(other.c.begin))
        .where(other.c.series == SERIES.c.id, other.c.step == COARSE, other.c.begin < day_of(fetched.time))
        .correlate(SERIES)
        .scalar_subquery()
    )
    of = and_(CHUNK.c.series == SERIES.c.id, CHUNK.c.step == COARSE, CHUNK.c.begin == last)
    joined = select(*_columns(tasks=fetched.tasks)).select_from(SERIES).join(CHUNK, of)
    found: list[Row[Any]] = []
    for first in range(0, len(series), MOST_AT_ONCE):
        some = series[first : first + MOST_AT_ONCE]
        found += connection.execute(joined.where(SERIES.c.id.in_(some)))
    return found


def _columns(*, tasks: bool) -> Sequence[Column[Any]]:
    return (CHUNK.c.series, CHUNK.c.body, *((CHUNK.c.tasks,) if tasks else ()))


def _picked(
    chunks: Sequence[Row[Any]], series: Mapping[int, Series], time: int, rest: Callable[[], None]
) -> dict[int, HistoryRow]:
    """Read the points that held; without those of which the first was later."""
    found, moment = {}, MomentReader(time)
    for first in range(0, len(chunks), _AT_ONCE):
        for number, body, *tasks in map(tuple, chunks[first : first + _AT_ONCE]):
            one = series[number]
            if held := moment.read(body, tasks[0] if tasks else None, one.agent, one.site):
                found[number] = held
        rest()
    return found


def _is_gone(row: HistoryRow) -> bool:
    numbers = (row.running_slots, row.pending_slots, row.running_jobs, row.pending_jobs)
    return row.state is None and all(number is None for number in numbers)

"""What series were at the moments of a step: of each packed day no more is read than they ask for."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Row

from rcmon.store.chunks import NUMBERS, TASK_NUMBERS, columns_of, unpack
from rcmon.store.columns import Column, Columns
from rcmon.store.forms import PARTED, TIMES, is_whole, open_body, open_parts, open_tasks, readable
from rcmon.store.packing import DAY, row_of
from rcmon.store.past import Fetched, Series
from rcmon.timestamps import milliseconds

Values = list[list[Any]]
"""A column of states, and one for each of NUMBERS; of a task type one for each of TASK_NUMBERS."""
_OF_SITE = range(TIMES + 1, TIMES + 2 + len(NUMBERS))
"""The places of states and NUMBERS among the columns of a body."""


class Steps(Struct):
    """The way of one series through the moments."""

    values: Values
    """At each moment so far; None: nothing held, or it is not known."""
    held: list[Any]
    """What held last."""

    def take(self, before: int, columns: Sequence[Sequence[Any]]) -> None:
        """Go on through moments: so many before a part's first point, and each column's at the others.

        Each column ends with what holds after the part.
        """
        for number, column in enumerate(columns):
            values = self.values[number]
            values += [self.held[number]] * before
            values += column[:-1]
            self.held[number] = column[-1]


def steps(
    fetched: Fetched, moments: Sequence[int], task: str = "", rest: Callable[[], None] = lambda: None
) -> dict[Series, Values]:
    """Give what held at ascending moments (ms since the epoch), of the sites or of one of their task types.

    `rest` is called after each day. Raises StoreCorruptError.
    """
    reader = StepReader(moments, task)
    found = {}
    for one in fetched.series:
        days, rows = fetched.days.get(one.number, ()), fetched.rows.get(one.number, ())
        found[one] = reader.read(days, rows, rest)
    return found


class StepReader:
    """Reads what held at ascending moments (ms since the epoch), out of one series after the other.

    Most series change with each cycle: days with the same times are looked through once.
    """

    def __init__(self, moments: Sequence[int], task: str = "") -> None:
        self._moments, self._task = moments, task
        self._wide = len(TASK_NUMBERS) if task else len(_OF_SITE)
        self._found: dict[Hashable, tuple[int, list[int]]] = {}

    def read(self, days: Sequence[Row[Any]], rows: Sequence[Row[Any]], rest: Callable[[], None]) -> Values:
        """Read a series, oldest first: its packed days, and its rows, which tell what is later."""
        moments, done = self._moments, 0
        times = [milliseconds(row.time) for row in rows]
        way = Steps([[] for _ in range(self._wide)], [None] * self._wide)
        for day in days:
            end = bisect_left(moments, min([(day.begin + DAY) * 1000, *times[:1]]), done)
            with readable():
                self._day(way, day.body, day.tasks if self._task else None, done, end)
            done = end
            rest()
        places = [bisect_right(times, moment) for moment in moments[done:]]
        kept = {place: self._of_row(rows[place - 1]) for place in set(places) if place}
        for place in places:
            for column, value in zip(way.values, kept.get(place, way.held), strict=True):
                column.append(value)
        return way.values

    def _day(self, way: Steps, body: bytes, tasks: bytes | None, done: int, end: int) -> None:
        """Go through the moments from one place to before another along a packed day."""
        if body[:1] != PARTED:
            self._part(way, body, tasks, done, end)
            return
        bodies = open_parts(body)
        own = [None] * len(bodies.parts) if tasks is None else open_parts(tasks).parts
        ends = [*(bisect_left(self._moments, begin, done, end) for begin in bodies.begins[1:]), end]
        for part, some, until in zip(bodies.parts, own, ends, strict=True):
            if until > done or part is bodies.parts[-1]:
                self._part(way, part, some, done, until)
            done = until

    def _part(self, way: Steps, body: bytes, tasks: bytes | None, done: int, end: int) -> None:
        if not is_whole(body, tasks):
            self._part_before(way, body, tasks, done, end)
            return
        own = open_body(body)
        before, places = self._places(own.columns, done, end)
        if tasks is not None:
            way.take(before, self._of_task(tasks, places))
            return
        states, *numbers = own.columns.some(_OF_SITE, places)
        way.take(before, [[own.words[number or 0] for number in states], *numbers])

    def _of_task(self, tasks: bytes, places: Sequence[int]) -> Sequence[Column]:
        packed = open_tasks(tasks)
        if self._task not in packed.names:
            return [[None] * len(places)] * self._wide
        return packed.columns.some(columns_of(packed, self._task), places)

    def _part_before(self, way: Steps, body: bytes, tasks: bytes | None, done: int, end: int) -> None:
        """Go along what an earlier release packed, whole."""
        points = unpack(body, tasks)
        before, places = self._look(points.times, done, end)
        known: Sequence[Sequence[Any]] = [points.states, *points.numbers]
        if tasks is not None:
            none = [None] * len(points.times)
            known = points.tasks.get(self._task) or [none] * self._wide
        way.take(before, [[column[place] for place in places] for column in known])

    def _places(self, columns: Columns, done: int, end: int) -> tuple[int, list[int]]:
        """Find how many moments are before the first point, those that held at the others, and the last."""
        mark = columns.mark(TIMES), done, end
        if (found := self._found.get(mark)) is None:
            times: list[int] = columns.column(TIMES)  # type: ignore[assignment]
            found = self._found[mark] = self._look(times, done, end)
        return found

    def _look(self, times: Sequence[int], done: int, end: int) -> tuple[int, list[int]]:
        own = self._moments[done:end]
        before = bisect_left(own, times[0])
        return before, [*(bisect_right(times, moment) - 1 for moment in own[before:]), len(times) - 1]

    def _of_row(self, row: Row[Any]) -> Sequence[Any]:
        if not self._task:
            return (row.state, *(getattr(row, name) for name in NUMBERS))
        found = next((one for one in row_of(row).tasks or () if one.task == self._task), None)
        return [None if found is None else getattr(found, name) for name in TASK_NUMBERS]

"""What series were at the moments of a step: of each packed day no more is unpacked than they ask for."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Row

from rcmon.store.chunks import NUMBERS, TASK_NUMBERS, milliseconds, unpack_some
from rcmon.store.packing import DAY, row_of
from rcmon.store.past import Fetched, Series

Values = list[list[Any]]
"""A column of states, and one for each of NUMBERS; of a task type one for each of TASK_NUMBERS."""


class Steps(Struct):
    """The way of one series through the moments."""

    values: Values
    """At each moment so far; None: nothing held, or it is not known."""
    held: list[Any]
    """What held last."""

    def through(self, moments: Sequence[int], times: Sequence[int], values: Sequence[Sequence[Any]]) -> None:
        """Go on through moments, along points."""
        places = [bisect_right(times, moment) for moment in moments]
        for number, column in enumerate(values):
            known = [self.held[number], *column]
            self.values[number] += [known[place] for place in places]
            self.held[number] = column[-1]


def steps(
    fetched: Fetched, moments: Sequence[int], task: str = "", rest: Callable[[], None] = lambda: None
) -> dict[Series, Values]:
    """Give what held at ascending moments (ms since the epoch), of the sites or of one of their task types.

    `rest` is called after each day. Raises StoreCorruptError.
    """
    return {one: _of_one(fetched, one.number, moments, task, rest) for one in fetched.series}


def _of_one(
    fetched: Fetched, series: int, moments: Sequence[int], task: str, rest: Callable[[], None]
) -> Values:
    rows = fetched.rows.get(series, ())
    times = [milliseconds(row.time) for row in rows]
    wide = len(TASK_NUMBERS) if task else 1 + len(NUMBERS)
    way, done = Steps([[] for _ in range(wide)], [None] * wide), 0
    for day in fetched.days.get(series, ()):
        end = min([(day.begin + DAY) * 1000, *times[:1]])
        until = bisect_left(moments, end, done)
        way.through(moments[done:until], *unpack_some(day.body, day.tasks if task else None, task))
        done = until
        rest()
    kept = {place: _values(rows[place - 1], task) for place in _places(times, moments[done:]) if place}
    for place in _places(times, moments[done:]):
        for column, value in zip(way.values, kept.get(place, way.held), strict=True):
            column.append(value)
    return way.values


def _places(times: Sequence[int], moments: Sequence[int]) -> Iterator[int]:
    return (bisect_right(times, moment) for moment in moments)


def _values(row: Row[Any], task: str) -> Sequence[Any]:
    if not task:
        return (row.state, *(getattr(row, name) for name in NUMBERS))
    found = next((one for one in row_of(row).tasks or () if one.task == task), None)
    return [None if found is None else getattr(found, name) for name in TASK_NUMBERS]

"""A series' points as columns, and as bytes: a day takes one or two KB at a point per quarter of an hour.

By rows, 1500 series at 96 points a day were 53 million in a year: 4 GB with their task types, and millions
to delete each day. Columns of differences, compressed, take a tenth, and a month of a series is 30 rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat

from msgspec import Struct, field

from rcmon.model import HistoryRow, TaskPoint
from rcmon.store import chunks_before
from rcmon.store.columns import Column, squeeze
from rcmon.store.forms import (
    PART,
    WHOLE,
    PackedBody,
    PackedTasks,
    in_parts,
    open_body,
    open_tasks,
    parted,
    readable,
    sealed,
)
from rcmon.timestamps import milliseconds

NUMBERS = ("running_slots", "pending_slots", "running_jobs", "pending_jobs")
TASK_NUMBERS = ("running_jobs", "pending_jobs", "max_slots", "pending_slots")


class Points(Struct):
    """What a series became, oldest first. Times: whole milliseconds since the epoch."""

    times: list[int] = field(default_factory=list)
    states: list[str | None] = field(default_factory=list)
    numbers: list[Column] = field(default_factory=lambda: [[] for _ in NUMBERS])
    """A column for each of NUMBERS."""
    known: list[bool] = field(default_factory=list)
    """Whether task types were kept."""
    tasks: dict[str, list[Column]] = field(default_factory=dict)
    """By name, a column for each of TASK_NUMBERS; None throughout: the site did not have the task type."""

    def take(self, places: Sequence[int]) -> "Points":
        """Give the points at some places."""
        return Points(
            [self.times[place] for place in places],
            [self.states[place] for place in places],
            [[column[place] for place in places] for column in self.numbers],
            [self.known[place] for place in places],
            {
                task: [[column[place] for place in places] for column in columns]
                for task, columns in self.tasks.items()
            },
        )

    def part(self, first: int, end: int) -> "Points":
        """Give the points from one place to before another, as `take` does, and faster."""
        return Points(
            self.times[first:end],
            self.states[first:end],
            [column[first:end] for column in self.numbers],
            self.known[first:end],
            {task: [column[first:end] for column in columns] for task, columns in self.tasks.items()},
        )

    def extend(self, later: "Points") -> None:
        """Append points; those that are not earlier than their first go."""
        if later.times and self.times and self.times[-1] >= later.times[0]:
            kept = self.take(range(sum(time < later.times[0] for time in self.times)))
            self.times, self.states, self.numbers = kept.times, kept.states, kept.numbers
            self.known, self.tasks = kept.known, kept.tasks
        had = len(self.times)
        none = [None] * len(later.times)
        self.times += later.times
        self.states += later.states
        for column, more in zip(self.numbers, later.numbers, strict=True):
            column.extend(more)
        self.known += later.known
        for task in {**self.tasks, **later.tasks}:
            columns = self.tasks.setdefault(task, [[None] * had for _ in TASK_NUMBERS])
            for place, column in enumerate(columns):
                column.extend(later.tasks[task][place] if task in later.tasks else none)
        self.tasks = dict(sorted(self.tasks.items()))

    def thinned(self, step: int) -> "Points":
        """Keep the last point up to each multiple of `step` ms: what held at those times is the same."""
        steps = [-(-time // step) for time in self.times]
        places = [place for place, one in enumerate(steps) if steps[place + 1 : place + 2] != [one]]
        return self if len(places) == len(steps) else self.take(places)

    def row(self, place: int, agent: str, site: str) -> HistoryRow:
        """Give a point as a row."""
        numbers = [column[place] for column in self.numbers]
        tasks: tuple[TaskPoint, ...] | None = None
        if self.known[place]:
            tasks = tuple(
                TaskPoint(task, *(column[place] for column in columns))
                for task, columns in self.tasks.items()
                if any(column[place] is not None for column in columns)
            )
        time, state = self.times[place] / 1000, self.states[place]
        return HistoryRow(time, agent, site, state, numbers[0], numbers[1], numbers[2], numbers[3], tasks)


def from_rows(rows: Iterable[HistoryRow]) -> Points:
    """Make columns of rows, oldest first."""
    rows = list(rows)
    names = sorted({point.task for row in rows for point in row.tasks or ()})
    tasks: dict[str, list[Column]] = {name: [[None] * len(rows) for _ in TASK_NUMBERS] for name in names}
    for place, row in enumerate(rows):
        for point in row.tasks or ():
            for column, name in zip(tasks[point.task], TASK_NUMBERS, strict=True):
                column[place] = getattr(point, name)
    return Points(
        [milliseconds(row.time) for row in rows],
        [row.state for row in rows],
        [[getattr(row, name) for row in rows] for name in NUMBERS],
        [row.tasks is not None for row in rows],
        tasks,
    )


def pack(points: Points, part: int = PART) -> tuple[bytes, bytes]:
    """Encode points, and apart from them their task types: more than `part` in parts of so many."""
    firsts = range(0, len(points.times), part)
    if len(firsts) <= 1:
        return _packed(points)
    begins = [points.times[first] for first in firsts]
    parts = [_packed(points.part(first, first + part)) for first in firsts]
    return parted(begins, [body for body, _ in parts]), parted(begins, [tasks for _, tasks in parts])


def unpack(body: bytes, tasks: bytes | None = None, only: str = "") -> Points:
    """Decode points, with their task types where those are given, or `only` one. Raises StoreCorruptError."""
    with readable():
        points, *later = (_unpacked(*part, only) for part in _parts(body, tasks))
        for more in later:
            points.extend(more)
    return points


def _packed(points: Points) -> tuple[bytes, bytes]:
    words = list(dict.fromkeys(points.states))
    place = {word: number for number, word in enumerate(words)}
    states: Column = [place[state] for state in points.states]
    times: Column = [*points.times]
    known: Column = [int(one) for one in points.known]
    count, columns = len(times), [column for own in points.tasks.values() for column in own]
    body = PackedBody(words, squeeze([times, states, *points.numbers], count))
    tasks = PackedTasks([*points.tasks], squeeze([known, *columns], count))
    return sealed(body), sealed(tasks)


def _parts(body: bytes, tasks: bytes | None) -> Iterator[tuple[bytes, bytes | None]]:
    """Take a day apart, with its task types where those are given."""
    bodies = in_parts(body)
    return zip(bodies, repeat(None, len(bodies)) if tasks is None else in_parts(tasks), strict=True)


def _unpacked(body: bytes, tasks: bytes | None, only: str) -> Points:
    times, states, numbers = _body(body)
    points = Points([*times], [*states], numbers, [False] * len(times))  # type: ignore[list-item]
    if tasks is not None:
        known, by_task = _one_task(tasks, only) if only else _tasks(tasks)
        points.known = [bool(one) for one in known]
        points.tasks = dict(sorted(by_task.items()))
    return points


_KNOWN = 0
"""The place of what tells whether task types were kept, among their columns."""
_WIDE = len(TASK_NUMBERS)


def _body(body: bytes) -> tuple[Column, list[str | None], list[Column]]:
    if body[:1] != WHOLE:
        return chunks_before.read_body(body)
    own = open_body(body)
    times, states, *numbers = own.columns.all()
    if len(own.words) == 1:
        return times, own.words * len(times), numbers
    return times, [own.words[state or 0] for state in states], numbers


def _tasks(tasks: bytes) -> tuple[Column, dict[str, list[Column]]]:
    if tasks[:1] != WHOLE:
        return chunks_before.read_tasks(tasks)
    own = open_tasks(tasks)
    known, *columns = own.columns.all()
    by_task = {name: columns[place * _WIDE :][:_WIDE] for place, name in enumerate(own.names)}
    return known, by_task


def _one_task(tasks: bytes, task: str) -> tuple[Column, dict[str, list[Column]]]:
    """Open what `_tasks` does of one task type, which may not be there."""
    if tasks[:1] != WHOLE:
        known, by_task = chunks_before.read_tasks(tasks)
        return known, {name: own for name, own in by_task.items() if name == task}
    own = open_tasks(tasks)
    if task not in own.names:
        return own.columns.column(_KNOWN), {}
    known, *columns = own.columns.some([_KNOWN, *columns_of(own, task)])
    return known, {task: columns}


def columns_of(own: PackedTasks, task: str) -> range:
    """Tell which columns are of a task type that there is, one for each of TASK_NUMBERS."""
    first = _KNOWN + 1 + own.names.index(task) * _WIDE
    return range(first, first + _WIDE)

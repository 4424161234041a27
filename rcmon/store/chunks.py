"""A series' points as columns, and as bytes: a day takes one or two KB at a point per quarter of an hour.

By rows, 1500 series at 96 points a day were 53 million in a year: 4 GB with their task types, and millions
to delete each day. Columns of differences, compressed, take a tenth, and a month of a series is 30 rows.
"""

import zlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import sub
from typing import Any, TypeAlias

from msgspec import DecodeError, Raw, Struct, field, msgpack

from rcmon.errors import StoreCorruptError
from rcmon.model import HistoryRow, TaskPoint

Column: TypeAlias = list[int | None]
NUMBERS = ("running_slots", "pending_slots", "running_jobs", "pending_jobs")
TASK_NUMBERS = ("running_jobs", "pending_jobs", "max_slots", "pending_slots")
_PLAIN, _CONSTANT, _DIFFERENCES = 0, 1, 2
_SPAN = 2**62
"""Differences below it are integers to MessagePack."""


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


def milliseconds(time: float) -> int:
    """Round up to the millisecond, so that nothing is told before it was; what was rounded stays."""
    return -(-round(time * 1e6) // 1000)


def pack(points: Points) -> tuple[bytes, bytes]:
    """Encode points, and apart from them their task types."""
    words = list(dict.fromkeys(points.states))
    place = {word: number for number, word in enumerate(words)}
    states: Column = [place[state] for state in points.states]
    times: Column = [*points.times]
    body = [words, *map(_squeezed, (times, states, *points.numbers))]
    known: Column = [int(one) for one in points.known]
    tasks = [_squeezed(known), {task: [*map(_squeezed, own)] for task, own in points.tasks.items()}]
    return zlib.compress(msgpack.encode(body)), zlib.compress(msgpack.encode(tasks))


def unpack(body: bytes, tasks: bytes | None = None) -> Points:
    """Decode points, with their task types where those are given. Raises StoreCorruptError."""
    try:
        words, times, states, *numbers = _BODY.decode(zlib.decompress(body))
        read: list[Any] = [*_widened(times)]
        points = Points(
            read,
            _words(words, states),
            [*map(_widened, numbers)],
            [False] * len(read),
        )
        if tasks is not None:
            known, by_task = _TASKS.decode(zlib.decompress(tasks))
            points.known = [bool(one) for one in _widened(known)]
            points.tasks = {task: [*map(_widened, own)] for task, own in sorted(by_task.items())}
    except (zlib.error, DecodeError, ValueError, TypeError, IndexError, KeyError) as error:
        raise StoreCorruptError(f"packed history cannot be read: {error}") from error
    return points


def pick(body: bytes, tasks: bytes | None, time: int, agent: str, site: str) -> HistoryRow | None:
    """Decode the point that held at a time alone, a tenth of the whole's work; None: it was earlier.

    With its task types where those are given.
    """
    try:
        words, times, states, *numbers = _BODY.decode(zlib.decompress(body))
        read: list[Any] = [*_widened(times)]
        place = bisect_right(read, time) - 1
        if place < 0:
            return None
        known, by_task = _NO_TASKS if tasks is None else _RAW_TASKS.decode(zlib.decompress(tasks))
        points = Points(
            [read[place]],
            [words[_at(states, place)]],
            [[_at(column, place)] for column in numbers],
            [bool(_at(known, place))],
            {task: [[_raw_at(column, place)] for column in own] for task, own in sorted(by_task.items())},
        )
    except (zlib.error, DecodeError, ValueError, TypeError, IndexError, KeyError) as error:
        raise StoreCorruptError(f"packed history cannot be read: {error}") from error
    return points.row(0, agent, site)


_BODY = msgpack.Decoder(list)
_TASKS = msgpack.Decoder(tuple[list, dict[str, list]])  # type: ignore[type-arg]
_RAW_TASKS = msgpack.Decoder(tuple[list, dict[str, list[list[Raw]]]])  # type: ignore[type-arg]
_NO_TASKS: tuple[list[Any], dict[str, list[list[Raw]]]] = ([_CONSTANT, 0], {})
_ANY = msgpack.Decoder()


def _squeezed(column: Column) -> list[object]:
    """Write a column in the shortest of three ways; its length stands in each."""
    numbers = [number for number in column if number is not None]
    if len(numbers) != len(column):
        if numbers:
            return [_PLAIN, column]
        return [_CONSTANT, None, len(column)]
    low, high = min(numbers, default=0), max(numbers, default=0)
    if low == high and numbers:
        return [_CONSTANT, low, len(column)]
    if high - low >= _SPAN:
        return [_PLAIN, column]
    return [_DIFFERENCES, [*numbers[:1], *map(sub, numbers[1:], numbers)]]


def _widened(squeezed: Sequence[Any]) -> Column:
    way, *rest = squeezed
    column: Column = rest[0]
    if way == _CONSTANT:
        column = [rest[0]] * rest[1]
    elif way == _DIFFERENCES:
        column = list(accumulate(rest[0]))
    return column


def _at(squeezed: Sequence[Any], place: int) -> Any:
    way, values = squeezed[:2]
    if way == _CONSTANT:
        return values
    return sum(values[: place + 1]) if way == _DIFFERENCES else values[place]


def _raw_at(squeezed: Sequence[Raw], place: int) -> Any:
    """Give what `_at` does of a column that was not decoded.

    Nearly all differences are small, and MessagePack writes such a number as its one byte: they are added up
    as the bytes that they are, behind the first.
    """
    if len(squeezed) == _CONSTANT_PARTS:
        return _ANY.decode(squeezed[1])
    values = memoryview(squeezed[1])
    if len(values) > _HEAD and values[0] == _ARRAY_16:
        count = values[1] << 8 | values[2]
        begin = _HEAD + _SIZES.get(values[_HEAD], 1)
        small = place < count and len(values) == begin + count - 1
        if small and _ANY.decode(squeezed[0]) == _DIFFERENCES:
            return _ANY.decode(values[_HEAD:begin]) + sum(values[begin : begin + place].cast("b"))
    return _at([_ANY.decode(raw) for raw in squeezed], place)


_CONSTANT_PARTS = 3
_ARRAY_16, _HEAD = 0xDC, 3
"""How MessagePack begins an array of 16 members or more, and bytes of that."""
_SIZES = {0xCC: 2, 0xD0: 2, 0xCD: 3, 0xD1: 3, 0xCE: 5, 0xD2: 5, 0xCF: 9, 0xD3: 9}
"""Bytes of an integer by the first of them, where they are more than one."""


def _words(words: Sequence[str | None], states: Sequence[Any]) -> list[str | None]:
    if states[0] == _CONSTANT:
        return [words[states[1]]] * states[2]
    places: list[Any] = [*_widened(states)]
    return [words[place] for place in places]

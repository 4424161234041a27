"""Reading what held at one moment out of packed days, of each no more than that takes."""

from bisect import bisect_right
from collections.abc import Hashable

from rcmon.model import HistoryRow, TaskPoint
from rcmon.store.chunks import TASK_NUMBERS, unpack
from rcmon.store.columns import Column, Columns
from rcmon.store.forms import BROKEN, PARTED, TIMES, is_whole, open_body, open_parts, open_tasks, unreadable

_STATE = TIMES + 1
"""The place of the states among the columns of a body; NUMBERS follow."""
_WIDE = len(TASK_NUMBERS)


class MomentReader:
    """Reads what held at one time, in milliseconds since the epoch, out of one packed day after the other.

    Most series change with each cycle: days with the same times are looked through once.
    """

    def __init__(self, time: int) -> None:
        self._time = time
        self._found: dict[Hashable, tuple[int, int]] = {}

    def read(self, body: bytes, tasks: bytes | None, agent: str, site: str) -> HistoryRow | None:
        """Read the point of a packed day that held, with its task types where those are given.

        None: the day begins later. Raises StoreCorruptError.
        """
        try:
            if body[:1] == PARTED:
                return self._of_parts(body, tasks, agent, site)
            return self._of_part(body, tasks, agent, site)
        except BROKEN as error:
            raise unreadable(error) from error

    def _of_parts(self, body: bytes, tasks: bytes | None, agent: str, site: str) -> HistoryRow | None:
        bodies = open_parts(body)
        number = bisect_right(bodies.begins, self._time) - 1
        if number < 0:
            return None
        own = None if tasks is None else open_parts(tasks).parts[number]
        return self._of_part(bodies.parts[number], own, agent, site)

    def _of_part(self, body: bytes, tasks: bytes | None, agent: str, site: str) -> HistoryRow | None:
        if not is_whole(body, tasks):
            return self._of_all(body, tasks, agent, site)
        own = open_body(body)
        place, time = self._place(own.columns)
        if place < 0:
            return None
        _, state, *numbers = own.columns.at(place, _STATE)
        running_slots, pending_slots, running_jobs, pending_jobs = numbers
        return HistoryRow(
            time / 1000,
            agent,
            site,
            own.words[state or 0],
            running_slots,
            pending_slots,
            running_jobs,
            pending_jobs,
            None if tasks is None else _tasks_at(tasks, place),
        )

    def _of_all(self, body: bytes, tasks: bytes | None, agent: str, site: str) -> HistoryRow | None:
        """Read what an earlier release packed, whole."""
        points = unpack(body, tasks)
        place = bisect_right(points.times, self._time) - 1
        return points.row(place, agent, site) if place >= 0 else None

    def _place(self, columns: Columns) -> tuple[int, int]:
        """Find the point that held and its time; a place below 0: there is none."""
        mark = columns.mark(TIMES)
        if (found := self._found.get(mark)) is None:
            times: list[int] = columns.column(TIMES)  # type: ignore[assignment]
            place = bisect_right(times, self._time) - 1
            found = self._found[mark] = (place, times[place] if place >= 0 else 0)
        return found


def _tasks_at(tasks: bytes, place: int) -> tuple[TaskPoint, ...] | None:
    own = open_tasks(tasks)
    known, *numbers = own.columns.at(place)
    if not known:
        return None
    columns: list[Column] = [numbers[first::_WIDE] for first in range(_WIDE)]
    points = map(TaskPoint, own.names, *columns)
    return tuple(point for point in points if not _is_absent(point)) if None in numbers else tuple(points)


def _is_absent(point: TaskPoint) -> bool:
    return point.running_jobs is point.pending_jobs is point.max_slots is point.pending_slots is None

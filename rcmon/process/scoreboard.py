"""Figures that all processes of one service share: counters that outlive their process, and who lives.

An anonymous shared mapping made before the fork, read as float64. Every slot has one writer: the process
that occupies it, and between two occupants the parent. Everybody reads. An aligned float64 is written in
one piece, so a reader needs no lock. What a dead process counted stays, its successor goes on from there:
a total never falls.
"""

import mmap
import time
from collections.abc import Iterable

_WIDTH = 8
"""Bytes of a float64."""
_LINE = 8
"""float64 per cache line: every slot begins on one, so that no two writers share a line."""
_PID, _BEAT, _STARTED, _RESTARTS, _CPU, _MEMORY, _FDS = range(7)
_FIGURES = _LINE


class Slot:
    """One process's place on the board: its figures, and the cells it counts in.

    `cells` is a view of float64 that only the occupant writes (`slot.cells[i] += 1`); a successor finds
    there what its predecessors left.
    """

    __slots__ = ("_cpu_before", "_figures", "cells")

    def __init__(self, figures: "memoryview[float]", cells: "memoryview[float]") -> None:
        self._figures = figures
        self._cpu_before = 0.0
        self.cells = cells

    @property
    def pid(self) -> int | None:
        """The occupant; None: nobody, the last one is dead."""
        return _whole(self._figures[_PID])

    @property
    def last_beat(self) -> float | None:
        """When the occupant last showed that it lives, by `time.monotonic`, a clock all processes share."""
        return self._figures[_BEAT] or None

    @property
    def started(self) -> float | None:
        """Since when it occupies the slot, seconds since the epoch."""
        return self._figures[_STARTED] or None

    @property
    def restarts(self) -> int:
        """How many occupants came after the first."""
        return int(self._figures[_RESTARTS])

    @property
    def cpu_seconds(self) -> float:
        """User and system time of the occupant and all its predecessors."""
        return self._figures[_CPU]

    @property
    def resident_memory_bytes(self) -> int | None:
        """Resident memory of the occupant; None: not known, or nobody there."""
        return _whole(self._figures[_MEMORY])

    @property
    def open_fds(self) -> int | None:
        """Open file descriptors of the occupant; None: not known, or nobody there."""
        return _whole(self._figures[_FDS])

    def occupy(self, pid: int, now: float) -> None:
        """Move in: the new process calls this first. `now` is `time.monotonic()`."""
        self._cpu_before = self._figures[_CPU]
        self._figures[_STARTED] = time.time()
        self._figures[_BEAT] = now
        self._figures[_PID] = pid

    def beat(self, now: float) -> None:
        """Show that the occupant lives. `now` is `time.monotonic()`."""
        self._figures[_BEAT] = now

    def record(
        self, *, cpu_seconds: float | None, resident_memory_bytes: int | None, open_fds: int | None
    ) -> None:
        """Write what the occupant takes; `cpu_seconds` since it began. None: not known."""
        if cpu_seconds is not None:
            self._raise_cpu(self._cpu_before + cpu_seconds)
        self._figures[_MEMORY] = resident_memory_bytes or 0
        self._figures[_FDS] = open_fds or 0

    def vacate(self, cpu_seconds: float) -> None:
        """Clear what died with the occupant: the parent calls this when it has reaped it.

        `cpu_seconds` is the slot's time with all that the dead one used (the kernel's last word on it).
        """
        self._figures[_PID] = self._figures[_BEAT] = self._figures[_STARTED] = 0
        self._figures[_MEMORY] = self._figures[_FDS] = 0
        self._raise_cpu(cpu_seconds)

    def count_restart(self) -> None:
        """Note that a successor is about to move in: the parent calls this before it forks it."""
        self._figures[_RESTARTS] += 1

    def _raise_cpu(self, seconds: float) -> None:
        """Never let it fall: /proc counts in ticks, the kernel's last word in microseconds."""
        self._figures[_CPU] = max(self._figures[_CPU], seconds)


class Scoreboard:
    """`slots` slots of `cells` float64 counters each, all zero, in memory shared with every later fork.

    Raises ValueError when there is no slot, or a negative number of cells.
    """

    def __init__(self, slots: int, cells: int) -> None:
        if slots < 1 or cells < 0:
            raise ValueError(
                f"a board of {slots} slots with {cells} cells: at least 1 slot and 0 cells are needed"
            )
        stride = _FIGURES + -(-cells // _LINE) * _LINE
        shared = memoryview(mmap.mmap(-1, (_LINE + slots * stride) * _WIDTH)).cast("d")
        self._board = shared[:_LINE]
        self._board[0] = time.time()
        self.cells = cells
        self.slots = tuple(_slot(shared, _LINE + i * stride, cells) for i in range(slots))

    @property
    def started(self) -> float:
        """When the service began, seconds since the epoch."""
        return self._board[0]

    def slot(self, index: int) -> Slot:
        """Give one slot, counted from 0."""
        return self.slots[index]

    def total(self, cell: int) -> float:
        """Sum one cell over all slots."""
        return sum(slot.cells[cell] for slot in self.slots)

    def totals(self) -> list[float]:
        """Sum every cell over all slots."""
        return [sum(column) for column in zip(*(slot.cells for slot in self.slots), strict=True)]

    def restarts(self) -> int:
        """Count the processes that were started in place of a dead one."""
        return sum(slot.restarts for slot in self.slots)

    def cpu_seconds(self) -> float:
        """Sum the user and system time of all processes, dead ones included."""
        return sum(slot.cpu_seconds for slot in self.slots)

    def resident_memory_bytes(self) -> int | None:
        """Sum the resident memory of the processes that live; None: none told it."""
        return _sum_known(slot.resident_memory_bytes for slot in self.slots)

    def open_fds(self) -> int | None:
        """Sum the open file descriptors of the processes that live; None: none told it."""
        return _sum_known(slot.open_fds for slot in self.slots)


def _slot(shared: "memoryview[float]", start: int, cells: int) -> Slot:
    """Cut one slot out of the mapping."""
    first = start + _FIGURES
    return Slot(shared[start:first], shared[first : first + cells])


def _whole(value: float) -> int | None:
    """Read a figure that is never 0 where it is known."""
    return int(value) or None


def _sum_known(values: Iterable[int | None]) -> int | None:
    """Sum what is known; None when nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None

"""What all processes of one service share: counters that outlive their process, who lives, what is wrong.

Anonymous shared mappings made before the fork: figures read as float64, and texts. Every slot has one writer:
the process that occupies it, and between two occupants the parent. Everybody reads. An aligned float64 is
written in one piece, so a reader needs no lock. What a dead process counted stays, its successor goes on from
there: a total never falls.
"""

import mmap
import time
from collections.abc import Iterable

from rcmon.process.slot import FIGURES, LINE, TEXTS, Slot
from rcmon.process.trouble import Trouble

_WIDTH = 8
"""Bytes of a float64."""


class Scoreboard:
    """`slots` slots of `cells` float64 counters each, all zero, in memory shared with every later fork.

    Raises ValueError when there is no slot, or a negative number of cells.
    """

    def __init__(self, slots: int, cells: int) -> None:
        if slots < 1 or cells < 0:
            raise ValueError(
                f"a scoreboard of {slots} slots with {cells} cells: at least 1 slot and 0 cells are needed"
            )
        stride = FIGURES + -(-cells // LINE) * LINE
        shared = memoryview(mmap.mmap(-1, (LINE + slots * stride) * _WIDTH)).cast("d")
        texts = memoryview(mmap.mmap(-1, slots * TEXTS))
        self._times = shared[:LINE]
        self._times[0], self._times[1] = time.time(), time.clock_gettime(time.CLOCK_BOOTTIME)
        self.cells = cells
        self.slots = tuple(
            _slot(shared, LINE + i * stride, cells, texts[i * TEXTS : (i + 1) * TEXTS]) for i in range(slots)
        )

    @property
    def started(self) -> float:
        """When the service began, seconds since the epoch."""
        return self._times[0]

    @property
    def uptime(self) -> float:
        """Seconds since the service began, by a clock that nobody sets and that goes on while all sleeps."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self._times[1]

    def slot(self, index: int) -> Slot:
        """Give one slot, counted from 0."""
        return self.slots[index]

    def totals(self, start: int = 0, end: int | None = None) -> list[float]:
        """Sum each cell, from `start` to before `end`, over all slots."""
        return list(map(sum, zip(*(slot.cells[start:end] for slot in self.slots), strict=True)))

    def restarts(self) -> int:
        """Count the processes that were started in place of a dead one."""
        return sum(slot.restarts for slot in self.slots)

    def troubles(self) -> list[Trouble]:
        """List what the processes that live say is wrong with them."""
        return [trouble for slot in self.slots for trouble in slot.troubles]

    def cpu_seconds(self) -> float:
        """Sum the user and system time of all processes, dead ones included."""
        return sum(slot.cpu_seconds for slot in self.slots)

    def resident_memory_bytes(self) -> int | None:
        """Sum the resident memory of the processes that live; None: none told it."""
        return _sum_known(slot.resident_memory_bytes for slot in self.slots)

    def open_fds(self) -> int | None:
        """Sum the open file descriptors of the processes that live; None: none told it."""
        return _sum_known(slot.open_fds for slot in self.slots)


def _slot(shared: "memoryview[float]", start: int, cells: int, texts: "memoryview[int]") -> Slot:
    """Cut one slot out of the mappings."""
    first = start + FIGURES
    return Slot(shared[start:first], shared[first : first + cells], texts)


def _sum_known(values: Iterable[int | None]) -> int | None:
    """Sum what is known; None when nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None

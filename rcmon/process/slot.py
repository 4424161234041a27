"""One process's place on the scoreboard: figures, counters, what is wrong with it, how the last one ended."""

import time
from collections.abc import Sequence

import msgspec

from rcmon.errors import writable
from rcmon.process.text import SharedText
from rcmon.process.trouble import EXCEPTION, Ending, Trouble, Troubles, decode_troubles

LINE = 8
"""float64 per cache line: every slot begins on one, so that no two writers share a line."""
FIGURES = 4 * LINE
"""float64 of a slot before its cells: two lines of its occupant, one of the parent, and one of marks."""
TEXTS = 3 * SharedText.SIZE
"""Bytes of a slot's texts."""
_PID, _BEAT, _STARTED, _CPU, _MEMORY, _FDS, _READY, _COMPLETE = range(8)
_VIRTUAL, _MOST_FDS, _LAG = range(LINE, LINE + 3)
_RESTARTS, _FAILURES = range(2 * LINE, 2 * LINE + 2)
_MARKS = 3 * LINE


class Slot:
    """One process's place on the scoreboard: its figures, the cells it counts in, and three texts.

    `cells` is a view of float64 that only the occupant writes (`slot.cells[i] += 1`); a successor finds
    there what its predecessors left. `texts` are TEXTS bytes: the occupant's troubles, what it does,
    and the ending that the parent writes.
    """

    __slots__ = ("_cpu_before", "_doing", "_ending", "_figures", "_said", "_troubles", "cells")

    def __init__(
        self, figures: "memoryview[float]", cells: "memoryview[float]", texts: "memoryview[int]"
    ) -> None:
        self._figures = figures
        self._cpu_before = 0.0
        self.cells = cells
        self._said = Troubles()
        size = SharedText.SIZE
        self._troubles, self._doing, self._ending = (
            SharedText(texts[start : start + size]) for start in range(0, TEXTS, size)
        )

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
    def ready(self) -> bool:
        """Whether the occupant does its work: false while it starts, and when nobody is there."""
        return bool(self._figures[_READY])

    @property
    def complete(self) -> bool:
        """Whether the occupant is ready and has what it needs for that, such as a first snapshot."""
        return bool(self._figures[_COMPLETE])

    @property
    def doing(self) -> str:
        """What the occupant says that it does; empty: nothing yet."""
        return self._doing.read().decode(errors="replace")

    @property
    def restarts(self) -> int:
        """How many occupants came after the first."""
        return int(self._figures[_RESTARTS])

    @property
    def failures(self) -> int:
        """How many occupants in a row ended while they started; 0: the last did its work."""
        return int(self._figures[_FAILURES])

    @property
    def troubles(self) -> Sequence[Trouble]:
        """What the occupant says is wrong with it; nothing when nobody is there."""
        return decode_troubles(self._troubles.read())

    @property
    def last_ending(self) -> Ending | None:
        """How the last occupant ended; None: none has yet."""
        octets = self._ending.read()
        return msgspec.msgpack.decode(octets, type=Ending) if octets else None

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

    @property
    def virtual_memory_bytes(self) -> int | None:
        """Virtual memory of the occupant; None: not known, or nobody there."""
        return _whole(self._figures[_VIRTUAL])

    @property
    def max_fds(self) -> int | None:
        """File descriptors that the occupant may have open; None: not known, or nobody there."""
        return _whole(self._figures[_MOST_FDS])

    @property
    def loop_lag(self) -> float | None:
        """Seconds by which the occupant's loop was late lately, at most; None: nobody there."""
        return self._figures[_LAG] if self._figures[_PID] else None

    def occupy(self, pid: int, now: float) -> None:
        """Move in: the new process calls this first. `now` is `time.monotonic()`."""
        self._cpu_before = self._figures[_CPU]
        self._figures[_STARTED] = time.time()
        self._figures[_BEAT] = now
        self._figures[_PID] = pid

    def beat(self, now: float, lag: float = 0.0) -> None:
        """Show that the occupant lives, and by how many seconds its loop was late lately.

        `now` is `time.monotonic()`.
        """
        self._figures[_BEAT] = now
        self._figures[_LAG] = lag

    @property
    def marks(self) -> Sequence[float]:
        """Figures whose meaning is the occupant's, to be compared with others'; 0: none. They outlive it."""
        return self._figures[_MARKS : _MARKS + LINE].tolist()

    def mark(self, marks: Sequence[float]) -> None:
        """Set the first of the marks, LINE at most; a successor finds them until it sets its own."""
        for at, value in enumerate(marks):
            self._figures[_MARKS + at] = value

    def become_ready(self) -> None:
        """Show that the occupant does its work from now on."""
        self._figures[_READY] = 1

    def become_complete(self) -> None:
        """Show that the occupant has all that it needs from now on."""
        self._figures[_COMPLETE] = 1

    def do(self, text: str) -> None:
        """Tell everybody in a few words what the occupant does; they are cut where they are too many."""
        self._doing.write(writable(text).encode()[: SharedText.LONGEST])

    def say(self, process: str, what: str, reason: str | None) -> None:
        """Tell everybody what is wrong with the occupant, or with `None` that it is right again.

        `process` is who says it, where several share the slot. Raises ValueError for what is not in TROUBLES.
        """
        if self._said.say(process, what, reason, time.time()):
            self._troubles.write(self._said.encode(SharedText.LONGEST))

    def record(
        self,
        *,
        cpu_seconds: float | None,
        resident_memory_bytes: int | None,
        open_fds: int | None,
        virtual_memory_bytes: int | None = None,
        max_fds: int | None = None,
    ) -> None:
        """Write what the occupant takes; `cpu_seconds` since it began. None: not known."""
        if cpu_seconds is not None:
            self._raise_cpu(self._cpu_before + cpu_seconds)
        self._figures[_MEMORY] = resident_memory_bytes or 0
        self._figures[_FDS] = open_fds or 0
        self._figures[_VIRTUAL] = virtual_memory_bytes or 0
        self._figures[_MOST_FDS] = max_fds or 0

    def vacate(self, cpu_seconds: float) -> None:
        """Clear what died with the occupant: the parent calls this when it has reaped it.

        `cpu_seconds` is the slot's time with all that the dead one used (the kernel's last word on it).
        """
        self._figures[_PID] = self._figures[_BEAT] = self._figures[_STARTED] = 0
        self._figures[_MEMORY] = self._figures[_FDS] = 0
        self._figures[_VIRTUAL] = self._figures[_MOST_FDS] = self._figures[_LAG] = 0
        self._figures[_READY] = self._figures[_COMPLETE] = 0
        self._troubles.write(b"")
        self._doing.write(b"")
        self._raise_cpu(cpu_seconds)

    def note_ending(self, ending: Ending, failures: int) -> Ending:
        """Keep how the occupant ended, or could not begin: the parent calls this, before `vacate`.

        What the dead one last said was wrong becomes part of what is kept, and given. `failures` is the
        property's new value.
        """
        said = sorted(self.troubles, key=lambda trouble: (trouble.what == EXCEPTION, trouble.since))
        if said:
            ending = msgspec.structs.replace(ending, trouble=said[-1].reason)
        self._ending.write(msgspec.msgpack.encode(ending))
        self._figures[_FAILURES] = failures
        return ending

    def count_restart(self) -> None:
        """Note that a successor is about to move in: the parent calls this before it forks it."""
        self._figures[_RESTARTS] += 1

    def _raise_cpu(self, seconds: float) -> None:
        """Never let it fall: /proc counts in ticks, the kernel's last word in microseconds."""
        self._figures[_CPU] = max(self._figures[_CPU], seconds)


def _whole(value: float) -> int | None:
    """Read a figure that is never 0 where it is known."""
    return int(value) or None

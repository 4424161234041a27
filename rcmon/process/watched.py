"""One child as the supervisor watches it: whether it lives, since when, and when it starts again."""

import os
import signal
import time

from msgspec import Struct

from rcmon.process import signals
from rcmon.process.context import ChildSpec
from rcmon.process.slot import Slot
from rcmon.process.trouble import Ending

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0
_PROVEN = 2.0
"""Seconds of work after which an end no longer speaks against the start."""


class Ceilings(Struct, frozen=True):
    """What a child that listens may take until it is replaced, having drained; 0: as much as it likes."""

    memory: int = 0
    """Bytes that are resident."""
    files: int = 0
    """Open descriptors."""
    rest: float = 600.0
    """Seconds that it is left alone from its start on: what takes as much again at once is not mended so."""


class Limits(Struct, frozen=True):
    """Times in seconds that the supervisor allows its children."""

    grace: float = 30.0
    """From the request to stop until what is left is killed."""
    silence: float = 30.0
    """Without a heartbeat until a child that was ready is killed."""
    start: float = 30.0
    """From its fork until a child must be ready."""
    ceilings: Ceilings = Ceilings()


def pause(failures: int) -> float:
    """Seconds to wait after the n-th start in a row that failed: 0.1, 0.2, 0.4 ... 10; none after none."""
    if not failures:
        return 0.0
    return float(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(failures - 1, 10)))


class Watched(Struct):
    """A child of the supervisor. Times are `time.monotonic()`."""

    spec: ChildSpec
    slot: Slot
    pid: int | None = None
    ready_since: float | None = None
    """Since when it does its work; None: it starts, or does not live."""
    begun: float = 0.0
    """When it was forked."""
    watched_from: float = 0.0
    """Since when its silence counts."""
    due: float = 0.0
    """When it is to be forked, while it does not live."""
    failures: int = 0
    """Starts in a row that failed: it ended before it was ready, or so soon that its start is to blame."""
    served: bool = False
    """Whether its last life had come to do its work."""
    starts: int = 0
    hangs: str | None = None
    """How it hangs, once it was asked where, on its way to be killed."""
    recycled: str | None = None
    """For what it was asked to drain and end."""
    cpu_before: float = 0.0
    """CPU seconds of its predecessors."""

    @property
    def ready(self) -> bool:
        """Whether it does its work."""
        return self.ready_since is not None

    @property
    def label(self) -> str:
        """Name it in the log."""
        return f"{self.spec.name} (pid {self.pid})"

    def begin(self, pid: int, now: float) -> None:
        """Note that it was forked."""
        self.pid, self.begun, self.watched_from = pid, now, now
        self.ready_since = self.hangs = self.recycled = None
        self.starts += 1

    def send(self, number: int) -> None:
        """Send it a signal, if it lives: until it is reaped its pid is nobody else's."""
        if self.pid is not None:
            os.kill(self.pid, number)

    def become_ready(self, now: float) -> None:
        """Note that it does its work now."""
        self.ready_since, self.watched_from = now, now

    def end(self, code: int, now: float, cpu_seconds: float) -> Ending:
        """Note that it is dead having used `cpu_seconds`, why and when it starts again, and give that.

        `code` is that of `os.waitstatus_to_exitcode`.
        """
        lived = now - self.begun
        if self.hangs is not None and code == -signal.SIGKILL:
            ending = Ending("hang", f"{self.hangs}, killed", time.time(), lived)
        elif self.recycled is not None and code == 0:
            ending = Ending("recycle", f"replaced for {self.recycled}", time.time(), lived)
        else:
            ending = Ending("exit" if code >= 0 else "signal", signals.ending(code), time.time(), lived)
        if self.slot.ready and not self.ready:
            self.become_ready(now)  # its word on that is still in the pipe
        self._plan(now)
        self.pid, self.ready_since = None, None
        self.cpu_before += cpu_seconds
        ending = self.slot.note_ending(ending, self.failures)
        self.slot.vacate(self.cpu_before)
        return ending

    def never_begin(self, reason: str, now: float) -> None:
        """Note that it could not be forked."""
        self._plan(now)
        self.slot.note_ending(Ending("fork", f"cannot fork ({reason})", time.time(), 0.0), self.failures)

    def hurry(self, now: float, seconds: float) -> None:
        """Have it start again within `seconds`."""
        self.due = min(self.due, now + seconds)

    def _plan(self, now: float) -> None:
        """Decide at an end when it starts again: at once, unless its start is to blame."""
        self.served = self.ready_since is not None
        proven = self.ready_since is not None and now - self.ready_since >= _PROVEN
        self.failures = 0 if proven else self.failures + 1
        self.due = now + pause(self.failures)

    def excess(self, now: float, ceilings: Ceilings) -> str | None:
        """Say what a child takes too much of; None: nothing, or it was started just now."""
        memory, files = self.slot.resident_memory_bytes or 0, self.slot.open_fds or 0
        if now - self.begun < ceilings.rest:
            return None
        if 0 < ceilings.memory < memory:
            return f"{memory >> 20} MiB of memory, more than {ceilings.memory >> 20}"
        if 0 < ceilings.files < files:
            return f"{files} open files, more than {ceilings.files}"
        return None

    def overdue(self, now: float, limits: Limits) -> str | None:
        """Say for what a living child is to be killed; None: it is well."""
        if not self.ready:
            return (
                f"not ready {limits.start:g} s after its start"
                if now - self.watched_from > limits.start
                else None
            )
        silent = now - max(self.watched_from, self.slot.last_beat or 0.0)
        return f"no sign of life for {silent:.0f} s" if silent > limits.silence else None

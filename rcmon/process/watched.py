"""One child as the supervisor watches it: whether it lives, since when, and when it starts again."""

import os
import signal
import time
from dataclasses import dataclass

from rcmon.process import signals
from rcmon.process.context import ChildSpec
from rcmon.process.slot import Slot
from rcmon.process.trouble import Ending

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0
_STABLE = 60.0
"""Seconds of life after which an end counts as the first one again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds that the supervisor allows its children."""

    grace: float = 30.0
    """From the request to stop until what is left is killed."""
    silence: float = 30.0
    """Without a heartbeat until a child that was ready is killed."""
    start: float = 30.0
    """From its fork until a child must be ready."""


def pause(failures: int) -> float:
    """Seconds to wait before the start that follows the n-th end in a row: 0.1, 0.2, 0.4 ... 10."""
    return float(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(failures - 1, 10)))


@dataclass(slots=True)
class Watched:
    """A child of the supervisor. Times are `time.monotonic()`."""

    spec: ChildSpec
    slot: Slot
    pid: int | None = None
    ready: bool = False
    begun: float = 0.0
    """When it was forked."""
    watched_from: float = 0.0
    """Since when its silence counts."""
    due: float = 0.0
    """When it is to be forked, while it does not live."""
    failures: int = 0
    """Ends in a row, none of them after a stable minute."""
    starts: int = 0
    hangs: str | None = None
    """How it hangs, once it was asked where, on its way to be killed."""
    cpu_before: float = 0.0
    """CPU seconds of its predecessors."""

    @property
    def label(self) -> str:
        """Name it in the log."""
        return f"{self.spec.name} (pid {self.pid})"

    def begin(self, pid: int, now: float) -> None:
        """Note that it was forked."""
        self.pid, self.begun, self.watched_from = pid, now, now
        self.ready, self.hangs = False, None
        self.starts += 1

    def send(self, number: int) -> None:
        """Send it a signal, if it lives: until it is reaped its pid is nobody else's."""
        if self.pid is not None:
            os.kill(self.pid, number)

    def become_ready(self, now: float) -> None:
        """Note that it does its work now."""
        self.ready, self.watched_from = True, now

    def end(self, code: int, now: float, cpu_seconds: float) -> Ending:
        """Note that it is dead having used `cpu_seconds`, why and when it starts again, and give that.

        `code` is that of `os.waitstatus_to_exitcode`.
        """
        lived = now - self.begun
        if self.hangs is not None and code == -signal.SIGKILL:
            ending = Ending("hang", f"{self.hangs}, killed", time.time(), lived)
        else:
            ending = Ending("exit" if code >= 0 else "signal", signals.ending(code), time.time(), lived)
        self.pid, self.ready = None, False
        self.cpu_before += cpu_seconds
        self._fail(now, stable=lived >= _STABLE)
        ending = self.slot.note_ending(ending, self.failures)
        self.slot.vacate(self.cpu_before)
        return ending

    def never_begin(self, reason: str, now: float) -> None:
        """Note that it could not be forked."""
        self._fail(now)
        self.slot.note_ending(Ending("fork", f"cannot fork ({reason})", time.time(), 0.0), self.failures)

    def _fail(self, now: float, *, stable: bool = False) -> None:
        """Count one more end, or a fork that failed."""
        self.failures = 1 if stable else self.failures + 1
        self.due = now + pause(self.failures)

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

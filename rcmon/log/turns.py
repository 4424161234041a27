"""Turns of processes that write to one log."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

_PATIENCE = 1.0
"""Seconds that a turn is waited for; having it takes microseconds, or what the scheduler makes of it."""
_BETWEEN = 0.0001
_GIVEN_UP = 10.0
"""Seconds in which nobody waits any more after it was in vain."""


class Turns:
    """Lets one process at a time write, so that lines stand in the order of their time, whoever wrote them.

    Made before the fork. The kernel gives back the turn of a process that dies. One that is stopped, or that
    cannot write, costs the others their order and no more.
    """

    def __init__(self) -> None:
        self._fd = os.memfd_create("rcmon-log")
        self._given_up = -_GIVEN_UP
        """When it was waited for in vain, by the monotonic clock."""

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Have a turn."""
        taken = self._take() or self._wait()
        try:
            yield
        finally:
            if taken:
                fcntl.lockf(self._fd, fcntl.LOCK_UN)

    def _take(self) -> bool:
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _wait(self) -> bool:
        begin = time.monotonic()
        if begin < self._given_up + _GIVEN_UP:
            return False
        while time.monotonic() < begin + _PATIENCE:
            time.sleep(_BETWEEN)
            if self._take():
                return True
        self._given_up = begin
        return False

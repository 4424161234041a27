"""A value that is loaded from files, and loaded again when they change."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from rcmon.errors import ConfigError

log = logging.getLogger(__name__)

T = TypeVar("T")

_SETTLED = 2_000_000_000
"""Nanoseconds after which a file's time of change tells: two writes within one tick look alike."""


def look(path: Path) -> object:
    """Give a value that differs when a file changed, was replaced, vanished, or got other permissions.

    A file that was written this very moment never looks like itself, so that it is read again.
    """
    try:
        stat = path.stat()
    except OSError as error:
        return error.errno
    now = time.time_ns()
    unsettled = now if abs(now - stat.st_mtime_ns) < _SETTLED else None
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino, stat.st_dev, unsettled


class Followed(Generic[T]):
    """A value made by `load(current)` - None the first time - again whenever `stamp()` differs.

    `load` raises ConfigError, and gives `current` or its equal where nothing is new. The first load's error
    is raised; a later one is logged once, and the value stays.
    """

    def __init__(self, stamp: Callable[[], object], load: Callable[[T | None], T]) -> None:
        self._stamp_of, self._load = stamp, load
        self._stamp = stamp()  # before the load: what changes meanwhile is seen at the next look
        self._error: str | None = None
        self.value: T = load(None)

    def refresh(self) -> bool | None:
        """Look and load: True where a new value was taken up, False where one was refused, None otherwise."""
        stamp = self._stamp_of()
        if stamp == self._stamp:
            return None
        self._stamp = stamp
        try:
            value = self._load(self.value)
        except ConfigError as error:
            return self._refused(str(error))
        self._error = None
        if value == self.value:
            return None
        self.value = value
        return True

    def _refused(self, error: str) -> bool | None:
        if error == self._error:
            return None
        self._error = error
        log.error("%s; what was loaded before stays in use", error)
        return False

"""Log lines of a client's making: a few of a kind, then how many more there were.

Whatever a client does, with or without a certificate, must not fill the log: neither by our own lines nor by
those of Tornado and asyncio about its connection, and least of all by tracebacks.
"""

import logging
import time
from collections.abc import Callable

from msgspec import Struct

LOG = logging.getLogger(__name__)

LOGGERS = (
    "asyncio",
    "tornado.application",
    "tornado.general",
    "rcmon.web.delivery",
    "rcmon.web.transport.server",
)
"""Whose lines may be about one connection or request. This module's own are not: there is one a window."""
_WINDOW = 10.0
"""Seconds in which lines of a kind are counted together."""
_LINES = 5
"""So many of a kind are let through in a window; of those with a traceback one."""

_Kind = tuple[str, int, type[BaseException] | None, str]
"""Where in the code a line is from, the class of its exception, and its `kind` where the code gives one.

All of them come from the code, never from a client, so there is no end of memory to fill.
"""


class _Window(Struct):
    """What came of one kind since `begin`."""

    begin: float
    lines: int = 0
    left_out: int = 0
    example: str = ""
    """The first that was left out."""


class Throttle(logging.Filter):
    """A filter of loggers; `tick`, about once a second, tells what it left out. `clock` is monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._windows: dict[_Kind, _Window] = {}

    def install(self) -> None:
        """Filter LOGGERS from now on."""
        for name in LOGGERS:
            logging.getLogger(name).addFilter(self)

    def remove(self) -> None:
        """Filter nothing any more, and tell what was left out until now."""
        for name in LOGGERS:
            logging.getLogger(name).removeFilter(self)
        self._close(list(self._windows))

    def filter(self, record: logging.LogRecord) -> bool:
        """Let a record through unless there were enough of its kind."""
        failure = record.exc_info[0] if record.exc_info else None
        kind = record.pathname, record.lineno, failure, getattr(record, "kind", "")
        window = self._windows.get(kind)
        if window is None:
            window = self._windows[kind] = _Window(self._clock())
        if window.lines < (_LINES if failure is None else 1):
            window.lines += 1
            return True
        if not window.left_out:
            window.example = record.getMessage()
        window.left_out += 1
        return False

    def tick(self) -> None:
        """Close the windows that are over; one line tells of each how much it left out."""
        over = self._clock() - _WINDOW
        self._close([kind for kind, window in self._windows.items() if window.begin <= over])

    def _close(self, kinds: list[_Kind]) -> None:
        for kind in kinds:
            window = self._windows.pop(kind)
            if window.left_out:
                LOG.warning("%d more lines like this one are left out: %s", window.left_out, window.example)

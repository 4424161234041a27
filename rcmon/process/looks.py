"""Looks that a process takes again and again beside its work: at files, at the store."""

import logging
import time
from collections.abc import Awaitable, Callable

from rcmon.process.trouble import LOOK, last_line

LOG = logging.getLogger("rcmon.process")

_AGAIN = 60.0
"""Seconds after which a look that fails otherwise each time is logged once more."""


class Looks:
    """A look that fails by an error that nobody expected ends neither its process nor any other look.

    What it looks after stays as it was, `trouble` is told of it for as long as that lasts, and the log has
    the traceback once for as long as the error is the same.
    """

    def __init__(
        self, trouble: Callable[[str, str | None], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._trouble, self._clock = trouble, clock
        self._failing: dict[str, str] = {}
        self._logged: dict[str, float] = {}

    async def take(self, name: str, look: Callable[[], Awaitable[object]]) -> None:
        """Look once; `name` says what for, such as `take up the control file`."""
        try:
            await look()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            self._note(name, error)
        else:
            if self._failing.pop(name, None) is not None:
                LOG.info("can %s again", name)
        self._trouble(LOOK, "; ".join(f"cannot {one}: {why}" for one, why in self._failing.items()) or None)

    def _note(self, name: str, error: Exception) -> None:
        before, self._failing[name] = self._failing.get(name), last_line(error)
        due = self._clock() - self._logged.get(name, -_AGAIN) >= _AGAIN
        if before is None or (before != self._failing[name] and due):
            self._logged[name] = self._clock()
            LOG.error("cannot %s; it is tried again and again", name, exc_info=error)

"""What the parent does now and then between its looks at the children."""

import logging
from collections.abc import Callable

LOG = logging.getLogger("rcmon.process")

_EVERY = 1.0


class Chore:
    """A short step that is done about once a second; a failure of it harms nothing else.

    `step` is told whether somebody asked for it (SIGHUP). It starts no thread and no loop: it runs where
    children are forked. Why it failed is logged with its traceback once for as long as it is the same.
    """

    def __init__(self, name: str, step: Callable[[bool], None]) -> None:
        self._name, self._step = name, step
        self._done: float | None = None
        self._failure = ""

    def do(self, now: float, *, asked: bool = False) -> None:
        """Do it if it is time, or asked for. `now` is `time.monotonic()`."""
        if not asked and self._done is not None and now - self._done < _EVERY:
            return
        self._done = now
        try:
            self._step(asked)
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"
            if failure != self._failure:
                LOG.exception("cannot %s; it is tried again every second", self._name)
            self._failure = failure
        else:
            self._failure = ""

"""What becomes of questions: one line in the log when it changes, not one for each."""

import logging
import time
from collections.abc import Callable

LOG = logging.getLogger(__name__)
_AGAIN = 3600.0
"""Seconds after which what alternates is told once more."""


class Outcomes:
    """Tells how questions end. `last` is the newest outcome of those that came with the token."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.last = "nothing was asked yet"
        self._kind = ""
        self._refused: dict[str, float] = {}
        self._clock = clock

    def answered(self, text: str) -> None:
        """Note an answer."""
        self.last = text
        if self._kind != "answered":
            LOG.info("answering: %s", text)
        self._kind = "answered"

    def doubted(self, kind: str, text: str) -> None:
        """Note a question that got 503; the agent then leaves all as it is."""
        self.last = f"not answering: {text}"
        if self._kind != kind:
            LOG.warning("not answering, the agent stays as it is: %s", text)
        self._kind = kind

    def refused(self, kind: str, text: str) -> None:
        """Note a request that was not the agent's: anybody on this node may send them, at any rate."""
        if self._clock() - self._refused.get(kind, -_AGAIN) >= _AGAIN:
            self._refused[kind] = self._clock()
            LOG.warning("refused: %s", text)

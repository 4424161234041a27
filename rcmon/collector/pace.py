"""Pace: a step at once, then one per interval on a fixed grid of a clock that nobody sets."""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Coroutine
from typing import Any

LOG = logging.getLogger(__name__)

LEAVE = 5.0
"""Seconds that a step has to end when it is cancelled."""

Step = Callable[[], Coroutine[Any, Any, object]]


def next_start(first: float, interval: float, now: float) -> float:
    """Find the first point after `now` of the grid that begins at `first`."""
    return first + (math.floor((now - first) / interval) + 1) * interval


class Pace:
    """Runs `step` every `interval` seconds, one at a time.

    A start that comes while a step still runs is skipped, so that nothing queues and nothing drifts. A step
    that takes longer than `longest` seconds is cancelled. One that raises is logged, once for as long as it
    raises the same, and the next comes as if nothing had been. `tell` takes after each step why it failed,
    in one line, or None.
    """

    def __init__(
        self,
        step: Step,
        interval: float,
        longest: float,
        tell: Callable[[str | None], None] = lambda _: None,
    ) -> None:
        self._step = step
        self._interval = interval
        self._longest = longest
        self._tell = tell
        self._task: asyncio.Task[object] | None = None
        self._deadline = math.inf
        self._given_up = ""
        self._failure = ""
        self._late = self._skipped = False

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set; the step that runs then is cancelled."""
        stopping = asyncio.create_task(stop.wait(), name="pace: stop")
        first = due = time.monotonic()
        try:
            while not stopping.done():
                now = time.monotonic()
                if now >= due:
                    due = next_start(first, self._interval, now)
                    self._start(now)
                self._give_up(now)
                waited = {stopping} if self._task is None else {stopping, self._task}
                wait = max(min(due, self._deadline) - now, 0.0)
                await asyncio.wait(waited, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                self._report()
        finally:
            stopping.cancel()
            if self._task is not None:
                self._task.cancel()
                await asyncio.wait({self._task}, timeout=LEAVE)
                self._report()

    def _start(self, now: float) -> None:
        """Start a step, or skip it while the one before still runs."""
        if self._task is not None:
            if not self._late:
                LOG.warning("skips a start: the step before still runs after %g s", self._interval)
            self._late = self._skipped = True
            return
        self._late, self._skipped = self._skipped, False
        self._task = asyncio.create_task(self._step(), name="pace: step")
        self._deadline = now + self._longest

    def _give_up(self, now: float) -> None:
        if self._task is not None and now >= self._deadline:
            self._given_up = f"gave up a step that took longer than {self._longest:g} s"
            LOG.error("%s", self._given_up)
            self._task.cancel()
            self._deadline = math.inf

    def _report(self) -> None:
        """Take a step that has ended; log what it raised."""
        if self._task is None or not self._task.done():
            return
        task, self._task = self._task, None
        self._deadline = math.inf
        error = None if task.cancelled() else task.exception()
        failure = "" if error is None else f"{type(error).__name__}: {error}"
        if failure and failure != self._failure:
            LOG.error("a step failed, the next comes in its time", exc_info=error)
        self._failure = failure
        self._tell(failure or self._given_up or None)
        self._given_up = ""

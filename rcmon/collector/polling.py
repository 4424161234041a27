"""Polling one source: a poll takes as long as its source allows it, whatever cycles come and go meanwhile."""

import asyncio
import logging
import time

from msgspec import Struct

from rcmon.collector.clock import shifted_poll
from rcmon.sources.base import Poll, Source, poll_one

LOG = logging.getLogger(__name__)

GRACE = 1.0
"""Seconds that a poll has to end after its timeout; then it counts as failed, ended or not."""
CLOSING = 5.0
"""Seconds that a source has to close; then it is left."""


class Heard(Struct, frozen=True):
    """What a cycle has heard of one source since the cycle before."""

    source: str
    kind: str
    polls: tuple[Poll, ...] = ()
    """Those that have ended, in the order in which they began."""
    polling_since: float | None = None
    """Begin of the poll that still runs, seconds since the epoch; None: none does."""
    dropped: str | None = None
    """Why what is left of earlier cycles goes as well; None: it stays."""


class Watch:
    """A source and its poll; of several cycles it has one at a time."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._task: asyncio.Task[Poll] | None = None
        self._started = 0.0
        self._begun = 0.0
        self._ended: list[Poll] = []
        self._outdated = False

    @property
    def longest(self) -> float:
        """Seconds that a poll can take, unless it lets nobody end it."""
        return self.source.timeout + GRACE

    def begin(self, now: float) -> asyncio.Task[Poll] | None:
        """Begin to poll, unless a poll still runs; `now`: seconds since the epoch."""
        self._take()
        if self._task is not None:
            return None
        self._started, self._begun, self._outdated = now, time.monotonic(), False
        self._task = asyncio.create_task(poll_one(self.source, now), name=f"poll {self.source.name}")
        return self._task

    def heard(self) -> Heard:
        """Give what has ended since the last call, and what still runs."""
        self._take()
        ended, self._ended = tuple(self._ended), []
        running = self._task is not None
        if running and time.monotonic() - self._begun >= self.longest:
            error = f"a poll does not end, though its timeout of {self.source.timeout:g} s is over"
            ended = (*ended, self._failed(error))
        return Heard(self.source.name, self.source.kind, ended, self._started if running else None)

    def forget(self) -> None:
        """Leave out what was polled until now, also by the poll that still runs: somebody polled later."""
        self._take()
        self._ended, self._outdated = [], True

    def shift(self, seconds: float) -> None:
        """Note that the wall clock was set by so much while a poll runs."""
        self._started += seconds

    async def close(self) -> None:
        """Close the source and end its poll; what does not let itself be closed is left."""
        closing = asyncio.create_task(self.source.close(), name=f"close {self.source.name}")
        tasks = {closing} if self._task is None else {closing, self._task}
        for task in tasks - {closing}:
            task.cancel()
        await asyncio.wait(tasks, timeout=min(self.longest, CLOSING))
        if not closing.done():
            closing.cancel()
            LOG.warning("source %s does not close", self.source.name)
        elif not closing.cancelled() and (error := closing.exception()) is not None:
            LOG.warning("source %s: closing failed: %s", self.source.name, error)

    def _take(self) -> None:
        """Take up the poll that ran, if it has ended."""
        if self._task is None or not self._task.done():
            return
        task, self._task = self._task, None
        if self._outdated:
            _ = task.cancelled() or task.exception()  # nobody else would ask for it
        elif task.cancelled():
            self._ended.append(self._failed("was cancelled"))
        elif (error := task.exception()) is not None:
            self._ended.append(self._failed(f"failed with {type(error).__name__}", error))
        else:
            poll = task.result()
            set_since = self._started - poll.started
            self._ended.append(shifted_poll(poll, set_since) if set_since else poll)

    def _failed(self, error: str, cause: BaseException | None = None) -> Poll:
        took = time.monotonic() - self._begun
        return Poll(self.source.name, self.source.kind, self._started, took, error=error, cause=cause)

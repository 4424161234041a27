"""One cycle: poll every source at once, merge what came, find what is wrong."""

import asyncio
import logging
import time
from collections.abc import Sequence

import msgspec
from msgspec import structs

from rcmon.collector.findings import findings
from rcmon.collector.merge import merge
from rcmon.model import Batch, Snapshot
from rcmon.sources.base import Poll, Source, poll_one

LOG = logging.getLogger(__name__)

GRACE = 1.0
"""Seconds that a poll has to end after its timeout; then the cycle goes on without it."""


class Cycle:
    """The sources, and the way from them to one snapshot after the other.

    `interval` and `stale_after` in seconds; `previous` is the snapshot that the next one continues.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        interval: float,
        stale_after: float,
        previous: Snapshot | None = None,
    ) -> None:
        self.interval = interval
        self.stale_after = stale_after
        self.previous = previous
        self._watches = [_Watch(source) for source in sources]
        self._retired: list[_Watch] = []

    @property
    def slowest(self) -> float:
        """The longest timeout of a source, seconds; 0 where there is none."""
        return max((watch.source.timeout for watch in self._watches), default=0.0)

    async def run_once(self, now: float) -> Snapshot:
        """Poll all sources and conclude; takes no longer than the slowest source may, and a moment.

        `now` is the cycle's begin, seconds since the epoch. No source's failure reaches another.
        """
        begun = time.monotonic()
        await self._close_retired()
        polls = await asyncio.gather(*(watch.poll(now) for watch in self._watches))
        previous = self.previous
        snapshot = await asyncio.to_thread(self._conclude, polls, previous, now, begun)
        _log_changes(previous, snapshot)
        self.previous = snapshot
        return snapshot

    def replace_sources(self, sources: Sequence[Source]) -> None:
        """Poll these from the next cycle on; those that are not among them any more are closed then."""
        kept = {id(watch.source): watch for watch in self._watches}
        watches = [kept.pop(id(source)) if id(source) in kept else _Watch(source) for source in sources]
        self._retired += kept.values()
        self._watches = watches

    async def close(self) -> None:
        """Close all sources."""
        self.replace_sources(())
        await self._close_retired()

    async def _close_retired(self) -> None:
        retired, self._retired = self._retired, []
        await asyncio.gather(*(watch.close() for watch in retired))

    def _conclude(
        self, polls: Sequence[Poll], previous: Snapshot | None, now: float, begun: float
    ) -> Snapshot:
        sound = [checked(poll) for poll in polls]
        merged = merge(sound, previous, now, 0.0, interval=self.interval, stale_after=self.stale_after)
        found = findings(merged)
        return structs.replace(merged, findings=found, duration=time.monotonic() - begun)


def checked(poll: Poll) -> Poll:
    """Take a poll whose batch is what the model says, down to each number; make it a failed one otherwise.

    So a source that gives something else (a text where a number belongs, what cannot be stored) fails
    alone, instead of failing merge, rendering or storing for all.
    """
    if poll.batch is None:
        return poll
    try:
        sound = msgspec.msgpack.decode(msgspec.msgpack.encode(poll.batch), type=Batch)
    except (TypeError, ValueError, OverflowError) as error:
        return structs.replace(poll, batch=None, error=f"gave something that cannot be used: {error}")
    return structs.replace(poll, batch=sound)


class _Watch:
    """A source whose polls cannot hold up a cycle, even if one ignores that it is cancelled."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._running: asyncio.Task[Poll] | None = None

    async def poll(self, now: float) -> Poll:
        """Poll; a poll that has not ended a moment after its timeout is left to itself."""
        if self._running is not None and not self._running.done():
            return self._failed(now, 0.0, "an earlier poll has still not ended")
        begun = time.monotonic()
        task = self._running = asyncio.create_task(
            poll_one(self.source, now), name=f"poll {self.source.name}"
        )
        try:
            await asyncio.wait({task}, timeout=self.source.timeout + GRACE)
        finally:
            if not task.done():
                task.cancel()
        took = time.monotonic() - begun
        if not task.done():
            return self._failed(now, took, f"did not end within its timeout of {self.source.timeout:g} s")
        if task.cancelled():
            return self._failed(now, took, "was cancelled")
        if (error := task.exception()) is not None:
            LOG.error("source %s: poll failed", self.source.name, exc_info=error)
            return self._failed(now, took, f"failed with {type(error).__name__}")
        return task.result()

    async def close(self) -> None:
        """Close the source; one that does not let itself be closed is left."""
        closing = asyncio.create_task(self.source.close(), name=f"close {self.source.name}")
        tasks = {closing} | ({self._running} if self._running else set())
        for task in tasks - {closing}:
            task.cancel()
        await asyncio.wait(tasks, timeout=self.source.timeout + GRACE)
        if not closing.done():
            closing.cancel()
            LOG.warning("source %s does not close", self.source.name)
        elif not closing.cancelled() and (error := closing.exception()) is not None:
            LOG.warning("source %s: closing failed: %s", self.source.name, error)

    def _failed(self, now: float, took: float, error: str) -> Poll:
        return Poll(
            source=self.source.name,
            kind=self.source.kind,
            started=now,
            duration=took,
            batch=None,
            error=error,
        )


def _log_changes(previous: Snapshot | None, snapshot: Snapshot) -> None:
    """Log each source that failed or recovered, once."""
    up = {state.name: state.up for state in previous.sources} if previous else {}
    for state in snapshot.sources:
        if not state.up and up.get(state.name, True):
            LOG.warning("source %s fails: %s", state.name, state.error)
        elif state.up and not up.get(state.name, True):
            LOG.info("source %s works again", state.name)

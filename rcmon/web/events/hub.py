"""The streams of one worker, and what they are told."""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

from rcmon.access.roles import Role
from rcmon.process.pause import happens
from rcmon.web.answers.answer import Block
from rcmon.web.events.block import block
from rcmon.web.events.lookout import Lookout
from rcmon.web.events.occurrence import Heartbeat, Occurrence
from rcmon.web.events.room import StreamRoom
from rcmon.web.events.stream import EventStream
from rcmon.web.events.writing import retry

LOG = logging.getLogger(__name__)

PERIOD = 0.5
"""Seconds between two looks, as the board's: for what is new, and for streams that may not go on."""
HEARTBEAT = 15.0
"""Seconds after which everybody is told that nothing happened."""
BEHIND = 8
"""So many moments a stream may be behind."""
RETRY = (1.0, 4.0)
"""Seconds after which a client comes again, drawn from between: a worker's clients do not come at once."""

Told: TypeAlias = Occurrence | Heartbeat


class Hub:
    """Looks for what is new while there are streams, and tells them. `running`: a clock that nobody sets."""

    def __init__(
        self,
        lookout: Lookout,
        room: StreamRoom,
        stop: asyncio.Event,
        running: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lookout, self._room, self._stop, self._running = lookout, room, stop, running
        self._streams: set[EventStream] = set()
        self._log: deque[Told] = deque()
        """What somebody is yet to be told."""
        self._end = 0
        """Number of the next moment."""
        self._follower: asyncio.Task[None] | None = None
        self._spoke = 0.0

    @property
    def is_looking(self) -> bool:
        """Whether somebody listens, or did a moment ago."""
        return self._follower is not None

    async def blocks(self, stream: EventStream, since: str) -> AsyncIterator[Block]:
        """Give what a stream is told, until it has to end; `since`: what its client knows.

        Problem 429 or 503 where there is no room for it.
        """
        identity = stream.peer.identity
        self._room.take(identity)
        try:
            begin = await self._begin(stream, since)
            yield block(retry(random.uniform(*RETRY)))  # noqa: S311 - no secret
            if begin is not None:
                yield begin
            del begin
            while not stream.over.done():
                if stream.at == self._end:
                    stream.woken.clear()
                    await stream.woken.wait()
                else:
                    stream.at += 1
                    # nothing of it is held while this waits: what is sent to all would stay for each
                    yield await self._log[stream.at - 1 - self._end].block(stream.query)
        finally:
            stream.finish("client")
            self._streams.discard(stream)
            self._room.give_back(identity, stream.over.result())

    async def close(self) -> None:
        """End all streams; nothing is looked for any more."""
        for stream in list(self._streams):
            stream.finish("stop")
        if self._follower is not None:
            self._follower.cancel()
            await asyncio.wait([self._follower])

    async def _begin(self, stream: EventStream, since: str) -> Block | None:
        """Take a stream in; gives what it missed, or None where it ends at once: its client comes again."""
        if self._stop.is_set():
            stream.finish("stop")
            return None
        stream.at = self._end
        self._streams.add(stream)
        if self._follower is None:
            self._spoke = self._running()
            self._follower = asyncio.create_task(self._follow())
        await self.look()
        stream.at = self._end  # what was told meanwhile is part of what it missed
        missed = await self._lookout.missed(since)
        return await (Heartbeat() if missed is None else Occurrence(missed)).block(stream.query)

    async def _follow(self) -> None:
        """Look until nobody listens, or the process ends."""
        reason = "error"
        try:
            while self._streams and not self._stop.is_set():
                if not await happens(self._stop, PERIOD):
                    await self.look()
                    self._attend()
            reason = "stop"
        except Exception:
            LOG.exception("events cannot be told any more, the streams end")
        finally:
            self._follower = None
            self._log.clear()
            self._lookout.rest()
            for stream in list(self._streams):
                stream.finish(reason)

    async def look(self) -> None:
        """Tell what is new now, rather than in a moment."""
        happened = await self._lookout.look()
        if happened is not None:
            self._tell(Occurrence(happened))

    def _tell(self, moment: Told) -> None:
        self._log.append(moment)
        self._end += 1
        self._spoke = self._running()
        for stream in self._streams:
            stream.woken.set()

    def _attend(self) -> None:
        """End the streams that may not go on; let the others know that we are here."""
        for stream in list(self._streams):
            decision = stream.peer.decision()
            if decision.refusal is not None or Role.READER not in decision.roles:
                stream.finish("access")
            elif stream.at < self._end - BEHIND:
                stream.finish("slow")
        if self._running() - self._spoke >= HEARTBEAT:
            self._tell(Heartbeat())
        waiting = [stream.at for stream in self._streams if not stream.over.done()]
        first = min(waiting, default=self._end)
        while self._log and self._end - len(self._log) < first:
            self._log.popleft()

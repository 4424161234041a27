"""A source that does what a test tells it: gives agents, fails, hangs, gives nonsense."""

import asyncio
import time
from collections.abc import Callable, Sequence

from rcmon.errors import SourceError
from rcmon.model import Agent, Batch

Script = Callable[[float], Sequence[Agent]]


async def until(condition: Callable[[], bool], seconds: float = 240.0) -> None:
    """Wait until something holds; fails where it does not in a long time."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        await asyncio.sleep(0.005)
    assert condition()


class Scripted:
    """Polls as `script` says: it is given the time, returns agents or raises.

    `hang` waits for ever; `stubborn` does so even when it is cancelled, until `released`.
    """

    kind = "scripted"

    def __init__(
        self, name: str, script: Script | Sequence[Agent] = (), *, timeout: float = 5.0, mood: str = ""
    ) -> None:
        self.name = name
        self.timeout = timeout
        self.script = script
        self.mood = mood
        self.polls = 0
        self.closed = 0
        self.released = asyncio.Event()

    async def poll(self, now: float) -> Batch:
        self.polls += 1
        if self.mood == "hang":
            await asyncio.Event().wait()
        while self.mood == "stubborn" and not self.released.is_set():
            try:
                await self.released.wait()
            except asyncio.CancelledError:
                continue
        if self.mood == "cancel":
            raise asyncio.CancelledError
        if self.mood == "fail":
            raise SourceError("the database is not there")
        agents = self.script(now) if callable(self.script) else self.script
        return Batch(self.name, self.kind, now, 0.01, tuple(agents))

    async def close(self) -> None:
        self.closed += 1
        if self.mood == "unclosable":
            raise OSError("no")
        if self.mood == "hangs on close":
            await asyncio.Event().wait()

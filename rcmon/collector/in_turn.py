"""Polls that take turns: few begin at once in one process, and each source is polled by one at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from rcmon.model import Batch
from rcmon.sources.base import Source

AT_ONCE = 8
"""Polls that begin at once: of those that compute, as an SQLite file's, more only hold each other up. Fifty
agents of 150 sites and 7000 jobs take 10 s and 15 s of CPU all at once, and 5 s and 6 s by eights."""
QUICK = 0.5
"""Seconds after which one that has not ended lets the next one begin: it waits for somebody else."""


class Starts:
    """So many polls may begin; the next one does when one of these ends, or turns out to wait."""

    def __init__(self, number: int = AT_ONCE, quick: float = QUICK) -> None:
        self._free, self._quick = asyncio.Semaphore(number), quick

    @asynccontextmanager
    async def start(self) -> AsyncIterator[None]:
        """Wait for a place, and keep it for a while at most."""
        await self._free.acquire()
        with ExitStack() as held:
            held.callback(self._free.release)  # once, whoever is first
            over = asyncio.get_running_loop().call_later(self._quick, held.close)
            held.callback(over.cancel)
            yield


class InTurn:
    """A source whose polls take turns: for this replica's own cycle, and for another one's."""

    def __init__(self, source: Source, starts: Starts) -> None:
        self.name, self.kind, self.timeout = source.name, source.kind, source.timeout
        self._source, self._starts, self._turn = source, starts, asyncio.Lock()

    async def poll(self, now: float) -> Batch:
        """Poll it once it is its turn: see `rcmon.sources.base.Source`."""
        async with self._turn, self._starts.start():
            return await self._source.poll(now)

    async def close(self) -> None:
        """Close the source."""
        await self._source.close()

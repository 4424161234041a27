"""The collector: one cycle per interval, rendered and stored; it goes on whatever happens to the store."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from rcmon.collector import clock
from rcmon.collector.cycle import Cycle
from rcmon.collector.overridden import Overridden
from rcmon.collector.pace import Pace
from rcmon.collector.publisher import News, Publisher
from rcmon.collector.pushed import Pushed
from rcmon.collector.steering import Steersman
from rcmon.model import Document, Snapshot
from rcmon.process.pause import happens
from rcmon.sources.base import Source

Render: TypeAlias = Callable[[Snapshot, Mapping[str, Document]], list[Document]]
"""Make a snapshot's documents; those of the snapshot before, by key, are there to be used again."""

STEP_INTERVALS = 5
LONGEST_STEP = 30.0
"""A step that lasts so many intervals, and so many seconds besides, is given up."""


class Collector:
    """Runs cycles and publishes what they give.

    `doing` takes in a few words what was done last; `tell_trouble` what is wrong, of
    `rcmon.process.trouble.TROUBLES`, and why, or None once it is right. `pushed` reads what agents push,
    `overridden` what operators set; `steering` concludes what agents are to do.
    """

    def __init__(
        self,
        cycle: Cycle,
        publisher: Publisher,
        render: Render,
        *,
        doing: Callable[[str], None] = lambda _: None,
        tell_trouble: Callable[[str, str | None], None] = lambda _what, _reason: None,
        pushed: Pushed | None = None,
        overridden: Overridden | None = None,
        steering: Steersman | None = None,
    ) -> None:
        self._overridden = overridden
        self._steering = steering
        if steering is not None:
            cycle.steer = steering.conclude
        self._pushed = pushed
        self._cycle = cycle
        self._publisher = publisher
        self._render = render
        self._doing = doing
        self._tell_trouble = tell_trouble
        self._cycles = 0
        self._stepping = asyncio.Lock()
        self._documents: Mapping[str, Document] = {}

    def replace_sources(self, sources: Sequence[Source]) -> None:
        """Poll these from the next cycle on."""
        self._cycle.replace_sources(sources)

    async def step(self, at: float | None = None) -> Snapshot | None:
        """Run one cycle and publish it; None where another replica collects, or the lease is out of reach.

        `at`: seconds since the epoch; None: now. Trouble with the store is logged when it begins and ends.
        """
        async with self._stepping:
            return await self._step(at)

    async def _step(self, at: float | None) -> Snapshot | None:
        # before anything that may wait: whoever waited between both clocks would take one for set
        moment = clock.read() if at is None else self._cycle.moment(at)
        now = moment.wall
        if not await self._leads():
            return None
        last = await self._publisher.resume(now)
        if last is not None:
            self._cycle.go_on_from(last)
            if self._overridden is not None:
                self._overridden.begin_anew()
        if not self._publisher.knows:
            return None
        if self._pushed is not None:
            self._cycle.pushed = await self._pushed.read(now - self._cycle.stale_after)
        if self._overridden is not None:
            looked = await self._overridden.look(moment, self._cycle.previous)
            self._cycle.overrides, self._cycle.behind = looked
        if self._steering is not None:
            previous = self._cycle.previous
            await self._steering.read(moment, previous.started if previous else None)
        snapshot, (documents, news) = await self._cycle.run(moment, self._prepare)
        self._documents = {document.key: document for document in documents}
        await self._publisher.publish(snapshot, documents, news)
        if self._steering is not None:
            self._tell_trouble("control", await self._steering.save(self._publisher.writing))
        await self._publisher.prune(now, self._cycle.clock_set)
        blamed = "; ".join(f"source {name}: {why}" for name, why in self._cycle.blamed.items())
        self._tell_trouble("render", blamed or None)
        self._tell(snapshot)
        return snapshot

    async def run(self, stop: asyncio.Event) -> None:
        """Run a step at once and then one per interval until `stop`; then close.

        The starts lie on a fixed grid: one that comes while a step still runs is skipped. Where replicas
        share the store, that is so for as long as this one has the lease: whoever gets it begins at once.
        """
        try:
            if not self._publisher.shared:
                await self._pace().run(stop)
                return
            while not stop.is_set():
                async with self._stepping:  # one that was given up may not go on in a new term
                    leads = await self._leads()
                if leads:
                    await self._serve_term(stop)
                else:
                    await happens(stop, self._publisher.next_look)
        finally:
            await self.close()

    async def _serve_term(self, stop: asyncio.Event) -> None:
        """Run steps for as long as this replica collects."""
        over = asyncio.Event()
        keeping = asyncio.create_task(self._keep_term(stop, over), name="collector: lease")
        try:
            await self._pace().run(over)
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})

    async def _keep_term(self, stop: asyncio.Event, over: asyncio.Event) -> None:
        try:
            while not stop.is_set() and await self._publisher.keep():
                await happens(stop, self._publisher.next_look)
        finally:
            over.set()

    def _pace(self) -> Pace:
        longest = STEP_INTERVALS * self._cycle.interval + LONGEST_STEP
        return Pace(self.step, self._cycle.interval, longest, partial(self._tell_trouble, "cycle"))

    async def _leads(self) -> bool:
        leads = await self._publisher.lead()
        if not leads:
            self._doing("another replica collects, or the store is out of reach")
        return leads

    async def close(self) -> None:
        """Close the sources and let another replica collect; the store stays open."""
        await self._cycle.close()
        await self._publisher.let_go()

    def _tell(self, snapshot: Snapshot) -> None:
        """Say in a few words how far it is."""
        self._cycles += 1
        sources, up = len(snapshot.sources), sum(source.up for source in snapshot.sources)
        self._doing(f"cycle {self._cycles}, {up} of {sources} sources up, {len(snapshot.agents)} agents")

    def _prepare(self, snapshot: Snapshot) -> tuple[list[Document], News]:
        """Render, and find what changed since the last snapshot that was saved; in a thread."""
        return self._render(snapshot, self._documents), self._publisher.news(snapshot)

"""The collector's process: its sources as the sources file has them, its store, and the collector itself."""

import asyncio
import functools
import gc
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from msgspec import Struct
from sqlalchemy.engine import URL

from rcmon.collector.collector import Collector
from rcmon.collector.cycle import Cycle
from rcmon.collector.overridden import Overridden
from rcmon.collector.publisher import Publisher
from rcmon.collector.pushed import Pushed
from rcmon.collector.sharing import Sharing
from rcmon.collector.steering import Steersman
from rcmon.files.follower import Follower
from rcmon.model import Watching
from rcmon.process import ChildContext
from rcmon.process.looks import Looks
from rcmon.process.pause import happens
from rcmon.render import render, renderings
from rcmon.sources.config import SourceSet
from rcmon.steering import ControlSettings
from rcmon.store import Store
from rcmon.store.pruning import Ages
from rcmon.telemetry.own import JOURNAL_ENTRIES, POLLS_FOR_OTHERS, STORES_MENDED
from rcmon.telemetry.reloading import ReloadReport
from rcmon.telemetry.tally import Tally

LOG = logging.getLogger("rcmon.collector.collector")
THREADS = 500
"""Most threads; one is made when none is idle."""
_CHECK = 2.0
"""Seconds until a changed sources file is seen."""

NEW_OBJECTS = 50_000
"""Containers that are made until Python looks for garbage among them. A snapshot of 1000 sites in 10 agents
is some hundred thousand, and nearly none is garbage: by Python's own 700 it takes a tenth of a cycle."""


class Settings(Struct, frozen=True, kw_only=True):
    """What the collector is to do; times in seconds."""

    store_url: URL
    owner: str
    """Whose the store is."""
    interval: float
    budget: float
    """Share of the interval that a cycle waits for its polls."""
    stale_after: float
    raise_after: int
    """Cycles until a finding is raised; likewise `clear_after`."""
    clear_after: int
    ages: Ages
    holder: str
    """This replica's name in the lease of a shared store."""
    sources: Follower[SourceSet]
    """As they are configured; followed from here on."""
    control: Follower[ControlSettings]
    """How far agents are steered; followed likewise."""
    tally: Tally
    task_zeros: bool = True
    """Whether expositions say that a task type has no jobs."""


def make_room() -> None:
    """Give the running loop more threads than sources can keep busy.

    A host's name that nobody answers for keeps a thread for minutes, whether or not its poll was given up;
    asyncio's own few would soon all be taken, and the cycle would wait for one.
    """
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="collector")
    asyncio.get_running_loop().set_default_executor(threads)


def look_rarely() -> None:
    """Let garbage be looked for rarely, and never in what is there already, which stays."""
    gc.collect()
    gc.freeze()
    _, older, oldest = gc.get_threshold()
    gc.set_threshold(NEW_OBJECTS, older, oldest)


async def collect(settings: Settings, context: ChildContext) -> None:
    """Collect until `context.stop` is set."""
    make_room()
    look_rarely()
    store = Store(settings.store_url, settings.owner)
    report = ReloadReport(settings.tally, context.trouble)
    await _take_up(settings.sources, report)  # a restarted collector begins with what its parent once read
    await _take_up(settings.control, report)
    publisher = Publisher(
        store,
        holder=settings.holder,
        ages=settings.ages,
        tell_trouble=context.trouble,
        mended=lambda: settings.tally.count(STORES_MENDED),
        journaled=lambda kind, count: settings.tally.count(JOURNAL_ENTRIES, kind, by=count),
    )
    sharing = Sharing(
        store,
        settings.holder,
        lambda: publisher.term,
        lambda gave: settings.tally.count(POLLS_FOR_OTHERS, "success" if gave else "failure"),
    )
    cycle = Cycle(
        sharing.among_all(settings.sources.value.sources),
        settings.interval,
        settings.stale_after,
        budget=settings.budget,
        watching=Watching(settings.raise_after, settings.clear_after),
    )
    collector = Collector(
        cycle,
        publisher,
        functools.partial(render, made=renderings(task_zeros=settings.task_zeros)),
        doing=context.doing,
        tell_trouble=context.trouble,
        pushed=Pushed(store),
        overridden=Overridden(store, functools.partial(publisher.writing, durable=True)),
        steering=Steersman(store, settings.control),
    )
    hurry = asyncio.Event()
    context.on_reload(hurry.set)
    context.ready()
    try:
        async with asyncio.TaskGroup() as group:
            following = group.create_task(
                _follow(settings, collector, sharing, report, hurry, looks=Looks(context.trouble))
            )
            polling = group.create_task(sharing.run())
            await collector.run(context.stop)
            following.cancel()
            polling.cancel()
        await sharing.close()
    finally:
        await store.close()


async def _follow(
    settings: Settings,
    collector: Collector,
    sharing: Sharing,
    report: ReloadReport,
    hurry: asyncio.Event,
    *,
    looks: Looks,
) -> None:
    """Take up sources and control file, changed or refused: every few seconds, and at once on HUP."""
    polled = settings.sources.value

    async def take_up_sources(*, again: bool) -> None:
        nonlocal polled
        await _take_up(settings.sources, report, again=again)
        newest = settings.sources.value
        if newest is not polled:
            collector.replace_sources(sharing.among_all(newest.sources))
            LOG.info("took up changed sources: %s", ", ".join(source.name for source in newest.sources))
            polled = newest

    while True:
        asked = await happens(hurry, _CHECK)
        hurry.clear()
        take_up_control = functools.partial(_take_up, settings.control, report, again=asked)
        await looks.take("take up the control file", take_up_control)
        await looks.take("take up the sources file", functools.partial(take_up_sources, again=asked))


async def _take_up(file: Follower[Any], report: ReloadReport, *, again: bool = False) -> bool | None:
    """Look at a file in a thread; see `Follower.refresh`."""
    taken_up = await asyncio.to_thread(file.refresh, again=again)
    reloads = file.reloads
    report.tell([] if taken_up is None else [(reloads.what, taken_up)], {reloads.what: reloads.reason})
    return taken_up

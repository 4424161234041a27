"""The collector's process: its sources as the sources file has them, its store, and the collector itself."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct
from sqlalchemy.engine import URL

from rcmon.collector.collector import Collector
from rcmon.collector.cycle import Cycle
from rcmon.errors import ConfigError
from rcmon.process import ChildContext
from rcmon.render import render
from rcmon.sources.base import Source
from rcmon.store import Store
from rcmon.telemetry.own import RELOADS
from rcmon.telemetry.tally import Tally

_LOG = logging.getLogger("rcmon.collector.collector")
_CHECK = 2.0
"""Seconds until a changed sources file is seen."""


class Settings(Struct, frozen=True, kw_only=True):
    """What the collector is to do; times in seconds."""

    store_url: URL
    interval: float
    stale_after: float
    retention: float
    holder: str
    """This replica's name in the lease of a shared store."""
    sources_file: Path | None
    """What to watch for changes; None: the sources are fixed."""
    sources: Callable[[], Sequence[Source]]
    """Make the sources as they are configured now; raises ConfigError."""
    tally: Tally


async def collect(settings: Settings, context: ChildContext) -> None:
    """Collect until `context.stop` is set."""
    store = Store(settings.store_url)
    cycle = Cycle(settings.sources(), settings.interval, settings.stale_after)
    collector = Collector(
        cycle,
        store,
        render,
        retention=settings.retention,
        holder=settings.holder,
        doing=context.doing,
    )
    hurry = asyncio.Event()
    context.on_reload(hurry.set)
    context.ready()
    try:
        async with asyncio.TaskGroup() as group:
            following = group.create_task(_follow(settings, collector, hurry))
            await collector.run(context.stop)
            following.cancel()
    finally:
        await store.close()


async def _follow(settings: Settings, collector: Collector, hurry: asyncio.Event) -> None:
    """Take up a changed sources file; a broken one is refused, and what was there stays."""
    if settings.sources_file is None:
        return
    seen = _stamp(settings.sources_file)
    while True:
        try:
            async with asyncio.timeout(_CHECK):
                await hurry.wait()
        except TimeoutError:
            pass
        hurry.clear()
        stamp = _stamp(settings.sources_file)
        if stamp == seen:
            continue
        seen = stamp
        try:
            sources = await asyncio.to_thread(settings.sources)
        except ConfigError as error:
            _LOG.error("the changed sources are refused, the old ones stay: %s", error)
            settings.tally.count(RELOADS, "sources", "failure")
            continue
        collector.replace_sources(sources)
        _LOG.info("took up changed sources: %s", ", ".join(source.name for source in sources))
        settings.tally.count(RELOADS, "sources", "success")


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino

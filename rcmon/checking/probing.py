"""`--check-config --probe`: every source polled once, and the store asked, without a change to either."""

import asyncio
from collections.abc import Sequence
from time import time

from rcmon.checking.report import Report
from rcmon.checking.start import store_url
from rcmon.config import Config
from rcmon.errors import ConfigError, StoreCorruptError, StoreError
from rcmon.model import Batch
from rcmon.sources.base import Source, poll_one
from rcmon.store import Store
from rcmon.store.address import parse
from rcmon.store.snapshots import newest_id


def probe(config: Config, report: Report, sources: Sequence[Source]) -> None:
    """Connect to all of them at once, each within its own timeout, and report what fails."""
    asyncio.run(_probe(config, report, sources))


async def _probe(config: Config, report: Report, sources: Sequence[Source]) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(_probe_store(config, report))
        for source in sources:
            group.create_task(_probe_source(source, report))


async def _probe_source(source: Source, report: Report) -> None:
    try:
        poll = await poll_one(source, time())
    finally:
        await source.close()
    if poll.batch is None:
        report.warn(f"source {source.name}: {poll.error}")
    else:
        report.tell(f"source {source.name}: answers in {poll.duration:.2f} s ({_told(poll.batch)})")


def _told(batch: Batch) -> str:
    """Say what a poll brought, in numbers."""
    told = [f"{len(agent.sites)} sites" for agent in batch.agents]
    said = batch.upstream
    if said is not None:
        given = [
            ("statuses of sites", said.sites),
            ("sites' names", said.names),
            ("agents' reports", said.reports),
            ("agents' job ads", said.pressure),
        ]
        told += [f"{len(found)} {what}" for what, found in given if found is not None]
        told += [f"{len(said.findings)} findings"] if said.findings else []
    return ", ".join(told)


async def _probe_store(config: Config, report: Report) -> None:
    try:
        url = store_url(config)
        path = parse(url).path
        if path is not None and not path.exists():
            report.tell(f"store: {path} is not there yet, it is made at the start")
            return
        store = Store(url)
        try:
            newest = await store.look(newest_id)
        finally:
            await store.close()
    except StoreCorruptError as error:
        report.warn(f"store: {error}; the start would make it, or set it aside and make it afresh")
    except (ConfigError, StoreError) as error:
        report.error(f"store: {error}")
    else:
        report.tell(f"store: answers, newest snapshot {newest if newest is not None else 'none'}")

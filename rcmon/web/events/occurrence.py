"""What happened at one moment, written for whoever listens: once for all who want the same of it."""

import asyncio
import fnmatch
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec
from msgspec import Raw, Struct

from rcmon.documents.shapes import JobCounts, ShortSite, SiteEntry
from rcmon.model.journal import OVERRIDE
from rcmon.store.journal import NumberedEntry
from rcmon.web.answers.answer import Block
from rcmon.web.api.events import (
    EventKind,
    EventsQuery,
    FindingEvent,
    JournalEvent,
    NamedSite,
    ReloadEvent,
    SnapshotEvent,
)
from rcmon.web.api.journal import entry_shape
from rcmon.web.events.block import block
from rcmon.web.events.ledger import SnapshotNews
from rcmon.web.events.place import EventPlace
from rcmon.web.events.writing import HEARTBEAT, event, with_id

_AT_ONCE = 200
"""Entries of the journal in one event."""
_ENCODER = msgspec.json.Encoder()


class Happened(Struct, frozen=True, kw_only=True):
    """What is to be told."""

    place: EventPlace
    """All up to there is told once this is."""
    snapshot: SnapshotNews | None = None
    findings: Sequence[FindingEvent] = ()
    entries: Sequence[NumberedEntry] = ()
    """Oldest first."""
    reload: ReloadEvent | None = None


class Occurrence:
    """Something that happened, as bytes for each query that somebody has."""

    def __init__(self, happened: Happened) -> None:
        self._happened = happened
        self._blocks: dict[EventsQuery, asyncio.Task[Block]] = {}

    async def block(self, query: EventsQuery) -> Block:
        """Give the bytes for a query."""
        task = self._blocks.get(query)
        if task is None:
            task = asyncio.create_task(asyncio.to_thread(self._make, query))
            self._blocks[query] = task
        return await asyncio.shield(task)  # others wait for it too

    def _make(self, query: EventsQuery) -> Block:
        text = b"".join(write(self._happened, query))
        return block(with_id(text, self._happened.place.written()))


_STILL_HERE = block(HEARTBEAT)


class Heartbeat:
    """Nothing happened, and that is told: a proxy in between would end a stream that is silent for long."""

    async def block(self, query: EventsQuery) -> Block:  # noqa: ARG002
        """Give the comment that everybody gets."""
        return _STILL_HERE


def write(happened: Happened, query: EventsQuery) -> Iterator[bytes]:
    """Write what a query wants of what happened."""
    if happened.reload is not None:
        yield event("reload", happened.reload)
        return
    wanted = _Wanted(query)
    for kind, written in _WRITTEN.items():
        if not query.kind or kind in query.kind:
            yield from written(happened, wanted)


class _Wanted:
    """A query, to be held against names."""

    def __init__(self, query: EventsQuery) -> None:
        self.site, self.agent = _matches(query.site), _matches(query.agent)
        self.row = _ROWS[query.rows]
        self._any_agent = not query.agent

    def entry(self, entry: SiteEntry) -> bool:
        """Tell whether a site is wanted: that, and one of its agents."""
        return self.site(entry.name) and (self._any_agent or any(map(self.agent, entry.agents)))

    def entries(self, happened: Happened) -> list[NumberedEntry]:
        """Choose of the journal."""
        return [one for one in happened.entries if self.site(one.entry.site) and self.agent(one.entry.agent)]


def _findings(happened: Happened, wanted: _Wanted) -> Iterator[bytes]:
    for one in happened.findings:
        if wanted.site(one.finding.site) and wanted.agent(one.finding.agent):
            yield event("finding", one)


def _overrides(happened: Happened, wanted: _Wanted) -> Iterator[bytes]:
    for kept in wanted.entries(happened):
        if kept.entry.kind == OVERRIDE.name:
            yield event("override", entry_shape(kept))


def _journal(happened: Happened, wanted: _Wanted) -> Iterator[bytes]:
    shapes = [entry_shape(kept) for kept in wanted.entries(happened)]
    for start in range(0, len(shapes), _AT_ONCE):
        yield event("journal", JournalEvent(shapes[start : start + _AT_ONCE]))


def _matches(globs: Sequence[str]) -> Callable[[str | None], bool]:
    if not globs:
        return lambda _name: True
    match = re.compile("|".join(map(fnmatch.translate, globs))).match
    return lambda name: name is not None and match(name) is not None


def _snapshot(happened: Happened, wanted: _Wanted) -> Iterator[bytes]:
    news = happened.snapshot
    if news is None:
        return
    told = SnapshotEvent(
        cycle=news.cycle,
        timestamp=news.timestamp,
        since=news.since,
        totals=news.sums,
        sites=[wanted.row(entry) for entry in news.sites.changed if wanted.entry(entry)],
        gone=[entry.name for entry in news.sites.gone if wanted.entry(entry)],
        agents=[one.row for one in news.agents.changed if wanted.agent(one.name)],
        agents_gone=[one.name for one in news.agents.gone if wanted.agent(one.name)],
    )
    yield event("snapshot", told)


def _full(entry: SiteEntry) -> Raw:
    return Raw(entry.document)


def _short(entry: SiteEntry) -> Raw:
    jobs = entry.jobs
    return _raw(
        ShortSite(
            name=entry.name,
            tier=entry.tier,
            state=entry.state,
            states=entry.states,
            running_slots=entry.running_slots,
            pending_slots=entry.pending_slots,
            running_jobs=jobs.running,
            pending_jobs=jobs.pending,
            jobs=JobCounts(jobs.pending, jobs.running, jobs.error, jobs.complete, jobs.unknown),
        )
    )


def _name(entry: SiteEntry) -> Raw:
    return _raw(NamedSite(entry.name))


def _raw(value: object) -> Raw:
    return Raw(_ENCODER.encode(value))


_ROWS: Mapping[str, Callable[[SiteEntry], Raw]] = {"full": _full, "short": _short, "names": _name}

_WRITTEN: Mapping[EventKind, Callable[[Happened, _Wanted], Iterator[bytes]]] = {
    "snapshot": _snapshot,
    "finding": _findings,
    "override": _overrides,
    "journal": _journal,
}
"""In this order."""

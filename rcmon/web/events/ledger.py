"""What snapshots changed, as far back as this process saw them."""

import asyncio
import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import msgspec
from msgspec import Raw, Struct, structs

from rcmon.documents import keys
from rcmon.documents.deflated import inflate
from rcmon.documents.shapes import FindingShape, SiteEntry
from rcmon.model import known_sum
from rcmon.timestamps import iso
from rcmon.web.api.events import GridSums
from rcmon.web.api.findings import listed
from rcmon.web.board import Held
from rcmon.web.events.place import EventPlace, place_of
from rcmon.web.events.since import Difference, Since

READ = (keys.FACTS, keys.SITES_INDEX, keys.AGENTS, keys.FINDINGS)
"""Keys of the documents that are compared."""
_KNOWN = 1500
"""Snapshots that are known by number: a day of them at one a minute."""
_AS_OF = re.compile(rb',"as_of":(?:null|"[^"]*")')
"""When an agent was polled for a site: a quotation mark inside a name has a backslash before it."""
_ENCODER = msgspec.json.Encoder()


class NamedRow(Struct, frozen=True):
    """An agent as /api/agents has it."""

    name: str
    row: Raw


class _Named(Struct):
    name: str


class _Rows(Struct):
    agents: list[Raw]


class SnapshotNews(Struct, frozen=True):
    """What one snapshot changed since another."""

    cycle: int
    timestamp: str | None
    since: int
    sums: GridSums
    sites: Difference[SiteEntry]
    agents: Difference[NamedRow]
    findings: Difference[FindingShape]


_Prints: TypeAlias = list[tuple[str, int, SiteEntry]]


class Ledger:
    """What changed since which snapshot. `take` them in their order; numbers only grow."""

    def __init__(self) -> None:
        self._begin()
        self.newest: Held | None = None

    def _begin(self) -> None:
        self._known: dict[int, EventPlace] = {}
        self._sites: Since[SiteEntry] = Since()
        self._agents: Since[NamedRow] = Since()
        self._findings: Since[FindingShape] = Since()
        self._sums = GridSums(0, 0, 0, None, None, None, None)

    @property
    def place(self) -> EventPlace | None:
        """Where the newest snapshot is; None: none was taken."""
        return self._known[self.newest.number] if self.newest else None

    def knows(self, place: EventPlace) -> bool:
        """Tell whether `since` can tell of it."""
        known = self._known.get(place.snapshot)
        return known is not None and known.started == place.started

    async def take(self, held: Held) -> bool:
        """Take the next snapshot; false where it does not follow what was taken, which is forgotten then.

        Problem 503 for one that cannot be read here: nothing is taken.
        """
        entries = (await held.sites()).values()
        prints, agents, findings = await asyncio.to_thread(_read, held, entries)
        number = held.number
        follows = self.newest is not None and number > self.newest.number
        if not follows:
            self._begin()
        self._sites.take(number, prints)
        self._agents.take(number, agents)
        self._findings.take(number, findings)
        self._sums = _sums(entries, len(agents), len(findings))
        self._known[number] = place_of(number, held.facts.started)
        self.newest = held
        if len(self._known) > _KNOWN:
            del self._known[next(iter(self._known))]
            oldest = next(iter(self._known))
            for kept in (self._sites, self._agents, self._findings):
                kept.forget(oldest)
        return follows

    def since(self, number: int) -> SnapshotNews:
        """Tell what changed since a snapshot that is known."""
        if self.newest is None:
            raise ValueError("no snapshot was taken")
        return SnapshotNews(
            cycle=self.newest.number,
            timestamp=iso(self.newest.facts.started),
            since=number,
            sums=self._sums,
            sites=self._sites.since(number),
            agents=self._agents.since(number),
            findings=self._findings.since(number),
        )


def _read(
    held: Held, entries: Iterable[SiteEntry]
) -> tuple[_Prints, list[tuple[str, int, NamedRow]], list[tuple[str, int, FindingShape]]]:
    """Give name, print and value of all that a snapshot has; it takes a while."""
    sites = [(entry.name, hash(_AS_OF.sub(b"", entry.document)), entry) for entry in entries]
    rows = msgspec.json.decode(inflate(held.document(keys.AGENTS)), type=_Rows).agents
    agents = [NamedRow(msgspec.json.decode(row, type=_Named).name, row.copy()) for row in rows]
    return (
        sites,
        [(agent.name, hash(bytes(agent.row)), agent) for agent in agents],
        [(one.id, _print(one), one) for one in listed(held)],
    )


def _print(finding: FindingShape) -> int:
    return hash(_ENCODER.encode(structs.replace(finding, last_seen=None)))


def _sums(entries: Iterable[SiteEntry], agents: int, findings: int) -> GridSums:
    every: Sequence[SiteEntry] = list(entries)
    return GridSums(
        sites=len(every),
        agents=agents,
        findings=findings,
        running_jobs=known_sum(one.jobs.running for one in every),
        running_slots=known_sum(one.running_slots for one in every),
        pending_jobs=known_sum(one.jobs.pending for one in every),
        pending_slots=known_sum(one.pending_slots for one in every),
    )

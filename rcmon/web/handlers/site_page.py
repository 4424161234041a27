"""The page of one site."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import UNSET, Struct, UnsetType

from rcmon.access.roles import Role
from rcmon.documents import keys
from rcmon.documents.drift import AgentPairs, DriftShape
from rcmon.documents.shapes import FindingShape, SiteEntry, SiteShape, TaskHolders
from rcmon.documents.then import Then
from rcmon.documents.why import WhyDocument
from rcmon.errors import StoreError
from rcmon.model import STEERED_STATES, AgentExpected, Drift
from rcmon.store.journal import JournalSpan
from rcmon.timestamps import iso
from rcmon.web.about import BASE
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api import why
from rcmon.web.api.drift import pairs, shaped
from rcmon.web.api.findings import joined, listed
from rcmon.web.api.recent import MOST, read_recent
from rcmon.web.api.stepped import read_stepped
from rcmon.web.api.then import PastWanted
from rcmon.web.api.then_sites import site_then
from rcmon.web.api.then_why import told, why_then
from rcmon.web.auth import requires
from rcmon.web.base import Handler, page
from rcmon.web.handlers.framed import frame
from rcmon.web.handlers.unknown import refuse
from rcmon.web.page import asking, beside, chart, site, timeline
from rcmon.web.page.agent import worst_first
from rcmon.web.page.asked import SitePage, given
from rcmon.web.page.changes import told as tell_changes
from rcmon.web.page.holders import holders
from rcmon.web.page.paths import agent_page, site_page
from rcmon.web.page.why import by_agent

_ENTRIES = 20
"""Entries of the journal that the page has; its own page has them all."""


class KnownSite(Struct, frozen=True, kw_only=True):
    """What is known of a site at the moment that the page is of."""

    shape: SiteShape
    why: WhyDocument
    time: float
    """The moment, seconds since the epoch."""
    pairs: Mapping[str, AgentPairs]
    drifts: Sequence[DriftShape] | None
    """None: not kept; likewise what follows."""
    holders: Sequence[TaskHolders] | None
    findings: Sequence[FindingShape] | None
    past: Then | UnsetType = UNSET
    lacking: Sequence[str] = ()
    """What history does not tell, in words."""


class SitePageHandler(Handler):
    """One site for people."""

    route = "/sites/{site}"
    summary = "The page of one site: state and reason, expected and actual, history, overrides; `at`."
    query: SitePage

    def read_query(self) -> None:
        """Read the query as forms send it."""
        self.query = self.reader.read(given(self.request.query_arguments))

    @requires(Role.READER)
    async def get(self, site: str) -> Ready:
        """Answer with the page."""
        known = await (self._then(site) if self.query.at else self._now(site))
        values = await self._values(known)
        return page(self.services.pages.show("site.html", frame(self, "overview"), **values))

    async def _now(self, name: str) -> KnownSite:
        held = self.held()
        sites = await held.sites()
        entry = sites.get(name)
        if entry is None:
            refuse(self, "site", name, sites)
        shape = msgspec.json.decode(entry.document, type=SiteShape)
        index = await held.why()
        expected = await held.decoded(keys.EXPECTED, dict[str, AgentExpected])
        drifts = await held.decoded(keys.DRIFT, tuple[Drift, ...])
        acknowledged = await self.services.acknowledgements.in_force()
        return KnownSite(
            shape=shape,
            why=await why.document(
                None, why.of_site(index.sites, name) or why.Chosen([]), index.agents, None
            ),
            time=held.facts.started,
            pairs=pairs(entry.document, name, expected),
            drifts=[one for drift in drifts if drift.site == name for one in shaped((drift, drift.cells))],
            holders=_holders(entry),
            findings=worst_first(joined(site_findings(listed(held), name), acknowledged)),
        )

    async def _then(self, name: str) -> KnownSite:
        # all sites are read, and one is judged: an agent's task types are those of all of them
        world = await self.then(PastWanted(self.query.at))
        if not any(row.site == name for row in world.rows):
            refuse(self, "site", name, {row.site for row in world.rows}, self.query.at)
        one = msgspec.structs.replace(world, rows=[row for row in world.rows if row.site == name])
        shape = site_then(name, one)
        judged = await self.services.store.compute(lambda rest: why_then(world, rest, {name}))
        past = told(world, name)
        answers = await why.document(None, why.of_site(judged, name) or why.Chosen([]), {}, None, past)
        return KnownSite(
            shape=shape,
            why=answers,
            time=world.time,
            pairs=beside.actual_alone(shape),
            drifts=None,
            holders=None,
            findings=None,
            past=shape.past,
            lacking=[*shape.past.not_kept, *past.not_kept],
        )

    async def _values(self, known: KnownSite) -> dict[str, Any]:
        name, asked, services = known.shape.name, self.query, self.services
        reasons = by_agent(known.why)
        tasks, besides = beside.beside(known.pairs)
        slack = services.about.cycle_interval
        return {
            "site": site.head(known.shape),
            "asked": asked,
            "stays": {
                "range": "" if asked.range == "1d" else asked.range,
                "agent": asked.agent,
                "task": asked.task,
            },
            "moment": known.time,
            "past": known.past or None,
            "lacking": known.lacking,
            "lines": site.lines(known.shape, reasons, services.clock(), slack),
            "beside_tasks": tasks,
            "besides": besides,
            "differing": None if known.drifts is None else beside.differing(known.drifts),
            "holders": None if known.holders is None else holders(known.holders),
            "findings": known.findings,
            "steered_states": STEERED_STATES,
            "state_class": site.state_class,
            "agent_page": agent_page,
            "site_page": site_page,
            "scales": chart.SCALES,
            "journal_of": "site",
            "journal_link": f"{BASE}/journal?{urlencode({'site': name})}",
            "curls": self._curls(name),
            "promql": asking.of_site(name),
            **await self._past(known),
            **await self._overrides(name),
        }

    async def _overrides(self, name: str) -> dict[str, Any]:
        try:
            every = await self.services.overrides.every()
        except Problem as problem:
            return {"overrides": None, "overrides_trouble": problem.detail}
        return {"overrides": site.override_lines(every, name), "overrides_trouble": None}

    async def _past(self, known: KnownSite) -> dict[str, Any]:
        """Read what held over time; a store that does not serve costs these parts of the page alone."""
        name, asked = known.shape.name, self.query
        part = chart.part_of(asked.range, known.time)
        store = self.services.store
        try:
            stepped = await read_stepped(store, name, part, asked.agent, asked.task)
            states = await read_recent(
                store, JournalSpan(MOST, site=name, kinds=timeline.KINDS, until=known.time)
            )
            newest = await read_recent(store, JournalSpan(_ENTRIES, site=name, until=known.time))
        except StoreError as error:
            return {"past_trouble": str(error), "moments": (), "pictures": (), "timeline": (), "changes": ()}
        moments = [*chart.moments(stepped, asked.task)]
        if not moments or moments[-1].time != iso(known.time):
            moments.append(chart.newest(known.shape, known.time, asked.agent, asked.task))
        now = {agent: one.state for agent, one in known.shape.agents.items()}
        window = timeline.Window(part.since, part.until, states.kept)
        return {
            "past_trouble": None,
            "part": part,
            "since": iso(part.since),
            "until": iso(part.until),
            "moments": moments[::-1],
            "pictures": chart.pictures(moments, part),
            "timeline": timeline.timeline([one.entry for one in states.entries[::-1]], now, window),
            "changes": tell_changes(newest.entries),
        }

    def _curls(self, name: str) -> Sequence[asking.Question]:
        host = self.request.headers.get("Host", "")
        path = site_page(name).replace("/sites/", "/api/sites/", 1)
        at = f"?{urlencode({'at': self.query.at})}" if self.query.at else ""
        asked = [("this site", f"{path}{at}"), ("why work does not run", f"{path}/why{at}")]
        if not at:
            asked += [
                ("expected beside actual", f"{path}/expected"),
                ("who holds the slots", f"{path}/workflows"),
            ]
        return [asking.curl(host, what, each) for what, each in [*asked, ("its history", f"{path}/history")]]


def site_findings(findings: Sequence[FindingShape], name: str) -> Sequence[FindingShape]:
    """Pick those about a site."""
    return [one for one in findings if one.site == name]


def _holders(entry: SiteEntry) -> Sequence[TaskHolders] | None:
    if entry.workflows is None:
        return None
    return msgspec.json.decode(entry.workflows, type=list[TaskHolders])


HANDLERS = (SitePageHandler,)

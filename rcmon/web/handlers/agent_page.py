"""The page of one agent."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from msgspec import UNSET

from rcmon.access.roles import Role
from rcmon.documents import keys
from rcmon.documents.shapes import AgentDocument, AgentsDocument
from rcmon.errors import StoreError
from rcmon.model import Drift
from rcmon.store.journal import JournalSpan
from rcmon.timestamps import moment
from rcmon.web.about import BASE
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.diagnosis import age
from rcmon.web.api.documents import read_document
from rcmon.web.api.drift import shaped
from rcmon.web.api.findings import joined
from rcmon.web.api.recent import read_recent
from rcmon.web.api.then import PastWanted
from rcmon.web.api.then_sites import agent_then
from rcmon.web.auth import requires
from rcmon.web.base import Handler, page
from rcmon.web.handlers.framed import frame
from rcmon.web.handlers.unknown import refuse
from rcmon.web.page import agent, asking
from rcmon.web.page.asked import AtPage, given
from rcmon.web.page.changes import told as tell_changes
from rcmon.web.page.paths import agent_page, site_page
from rcmon.web.page.workers import worker_rows

_ENTRIES = 20
"""Entries of the journal that the page has; its own page has them all."""


class AgentPageHandler(Handler):
    """One agent for people."""

    route = "/agents/{agent}"
    summary = "The page of one agent: components, drain, queue, disk, versions, control, what differs; `at`."
    query: AtPage

    def read_query(self) -> None:
        """Read the query as forms send it."""
        self.query = self.reader.read(given(self.request.query_arguments))

    @requires(Role.READER)
    async def get(self, agent: str) -> Ready:
        """Answer with the page."""
        values = await (self._then(agent) if self.query.at else self._now(agent))
        return page(self.services.pages.show("agent.html", frame(self, "overview"), **values))

    async def _now(self, name: str) -> dict[str, Any]:
        held = self.held()
        if name not in held.facts.agents:
            refuse(self, "agent", name, held.facts.agents)
        document = read_document(held, keys.agent(name), AgentDocument)
        every = read_document(held, keys.AGENTS, AgentsDocument).agents
        acknowledged = await self.services.acknowledgements.in_force()
        drifts = await held.decoded(keys.DRIFT, tuple[Drift, ...])
        mine = [one for drift in drifts if drift.agent == name for one in shaped((drift, drift.cells))]
        return {
            **await self._common(document, held.facts.started, {one.name: one.version for one in every}),
            **await self._control(name),
            "drifts": agent.drift_groups(mine),
            "findings": None
            if document.findings is None
            else agent.worst_first(joined(document.findings, acknowledged)),
            "states": agent.sites_by_state((await held.sites()).values(), name),
        }

    async def _then(self, name: str) -> dict[str, Any]:
        world = await self.then(PastWanted(self.query.at, agent=name, tasks=False))
        document = agent_then(name, world)
        if document is None:
            refuse(self, "agent", name, world.agents, self.query.at)
        states: dict[str, int] = {}
        for row in world.rows:
            states[row.state or "unknown"] = states.get(row.state or "unknown", 0) + 1
        versions = {each: one.version for each, one in world.agents.items()}
        return {
            **await self._common(document, world.time, versions),
            "control": None,
            "control_trouble": None,
            "drifts": None,
            "findings": None,
            "states": states,
        }

    async def _common(
        self, document: AgentDocument, time: float, versions: Mapping[str, str | None]
    ) -> dict[str, Any]:
        name, services, past = document.name, self.services, document.past
        mode = await services.steering.mode(name)
        return {
            "agent": document,
            "asked": self.query,
            "moment": time,
            "past": None if past is UNSET else past,
            "lacking": () if past is UNSET else past.not_kept,
            "stays": {},
            "age": age(moment(document.as_of), services.clock(), services.about.cycle_interval)
            if document.as_of
            else None,
            "mode": mode,
            "mode_words": agent.mode_words(mode),
            "chips": agent.chips(document, mode),
            "facts": agent.facts(document, versions),
            "workers": None if document.workers is None else worker_rows(document.workers, document.as_of),
            "by_state": agent.by_state(document),
            "by_task": agent.by_task(document),
            "site_page": site_page,
            "agent_page": agent_page,
            "journal_of": "agent",
            "journal_link": f"{BASE}/journal?{urlencode({'agent': name})}",
            "curls": self._curls(name),
            "promql": asking.of_agent(name),
            **await self._journal(name, time),
        }

    async def _control(self, name: str) -> dict[str, Any]:
        """Tell what the agent is to do; where nothing is told of it, why."""
        try:
            told = await self.services.steering.told(name, 0, None)
        except Problem as problem:
            return {"control": None, "control_trouble": problem.detail, "control_sites": ()}
        return {"control": told, "control_trouble": None, "control_sites": agent.control_rows(told)}

    async def _journal(self, name: str, time: float) -> dict[str, Any]:
        asked = JournalSpan(_ENTRIES, agent=name, until=time)
        try:
            found = await read_recent(self.services.store, asked)
        except StoreError as error:
            return {"changes": (), "past_trouble": str(error)}
        return {"changes": tell_changes(found.entries), "past_trouble": None}

    def _curls(self, name: str) -> Sequence[asking.Question]:
        host = self.request.headers.get("Host", "")
        path = agent_page(name).replace("/agents/", "/api/agents/", 1)
        at = f"?{urlencode({'at': self.query.at})}" if self.query.at else ""
        asked = [("this agent", f"{path}{at}")]
        if not at:
            only = urlencode({"agent": name})
            asked += [
                ("its thresholds, as WMCore has them", f"{path}/thresholds"),
                ("its backlog", f"{path}/backlog"),
                ("what it is to do", f"{path}/control"),
                ("what differs in it", f"{BASE}/api/drift?{only}"),
                ("why its work does not run", f"{BASE}/api/why?{only}&blocked=true"),
            ]
        return [asking.curl(host, what, each) for what, each in asked]


HANDLERS = (AgentPageHandler,)

"""The workload agents."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from rcmon.access.roles import Role
from rcmon.documents import keys
from rcmon.documents.shapes import AgentDocument, AgentsDocument
from rcmon.documents.wmcore import SiteBacklog, SiteThresholds
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.contract import gives
from rcmon.web.api.query import AtPretty, Pretty
from rcmon.web.api.then import PastWanted
from rcmon.web.api.then_sites import agent_then, agents_then
from rcmon.web.auth import requires
from rcmon.web.base import Handler


class AgentsHandler(Handler):
    """All agents in short."""

    route = "/api/agents"
    summary = "All workload agents in short: health, drain, sites, jobs, findings; now or `at` a past moment."
    query: AtPretty
    immediate = True

    @requires(Role.READER)
    @gives(AgentsDocument, refuses=(410,))
    def get(self) -> Ready | Awaitable[Ready]:
        """Answer with the snapshot's agents, or with those of a past moment."""
        return self._then() if self.query.at else self.document(self.held().ready(keys.AGENTS))

    async def _then(self) -> Ready:
        world = await self.then(PastWanted(self.query.at, tasks=False))
        return self.json(await asyncio.to_thread(agents_then, world))


class AgentHandler(Handler):
    """One agent, whole."""

    route = "/api/agents/{agent}"
    summary = "One agent: health, workers, jobs by state, batch jobs by status, drain, findings; `at`."
    query: AtPretty

    @requires(Role.READER)
    @gives(AgentDocument, refuses=(410,))
    async def get(self, agent: str) -> Ready:
        """Answer with the agent's document, or with what is known of it at a past moment."""
        if self.query.at:
            return await self._then(agent)
        return self.document(_of(self, agent, keys.agent))

    async def _then(self, agent: str) -> Ready:
        world = await self.then(PastWanted(self.query.at, agent=agent, tasks=False))
        found = agent_then(agent, world)
        if found is None:
            known = list(world.agents)
            detail = f"No agent {agent!r} is known to have been there at {self.query.at}."
            raise Problem(404, detail, agent=agent, agents=known)
        return self.json(found)


class ThresholdsHandler(Handler):
    """One agent's thresholds, as its operators know them."""

    route = "/api/agents/{agent}/thresholds"
    summary = "One agent's thresholds by site and task type, shaped as WMCore's listThresholdsForSubmit."
    query: Pretty

    @requires(Role.READER)
    @gives(Mapping[str, SiteThresholds])
    def get(self, agent: str) -> Ready:
        """Answer with the agent's thresholds."""
        return self.document(_of(self, agent, keys.thresholds))


class BacklogHandler(Handler):
    """What waits to be created in one agent."""

    route = "/api/agents/{agent}/backlog"
    summary = "One agent's creation backlog by site and priority, shaped as WMCore's listThresholdsForCreate."
    query: Pretty

    @requires(Role.READER)
    @gives(Mapping[str, SiteBacklog])
    def get(self, agent: str) -> Ready:
        """Answer with the agent's backlog."""
        return self.document(_of(self, agent, keys.backlog))


def _of(handler: Handler, agent: str, key: Callable[[str], str]) -> Ready:
    """Find one of an agent's documents; Problem 404 where there is no such agent."""
    held = handler.held()
    if agent not in held.facts.agents:
        known = list(held.facts.agents)
        raise Problem(404, f"There is no agent {agent!r} in the snapshot.", agent=agent, agents=known)
    return held.ready(key(agent))


HANDLERS = (AgentsHandler, AgentHandler, ThresholdsHandler, BacklogHandler)

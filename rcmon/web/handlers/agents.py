"""The workload agents."""

from collections.abc import Callable

from rcmon.access.roles import Role
from rcmon.documents import keys
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.query import Pretty
from rcmon.web.auth import requires
from rcmon.web.base import Handler


class AgentsHandler(Handler):
    """All agents in short."""

    route = "/api/agents"
    summary = "All workload agents in short: health, drain, sites, jobs, findings."
    query: Pretty
    immediate = True

    @requires(Role.READER)
    def get(self) -> Ready:
        """Answer with the snapshot's agents."""
        return self.document(self.held().ready(keys.AGENTS))


class AgentHandler(Handler):
    """One agent, whole."""

    route = "/api/agents/{agent}"
    summary = "One agent: health, workers, jobs by state, batch jobs by status, drain, findings."
    query: Pretty

    @requires(Role.READER)
    def get(self, agent: str) -> Ready:
        """Answer with the agent's document."""
        return self.document(self._of(agent, keys.agent))

    def _of(self, agent: str, key: Callable[[str], str]) -> Ready:
        """Find one of an agent's documents; Problem 404 where there is no such agent."""
        held = self.held()
        if agent not in held.facts.agents:
            known = list(held.facts.agents)
            raise Problem(404, f"There is no agent {agent!r} in the snapshot.", agent=agent, agents=known)
        return held.ready(key(agent))


class ThresholdsHandler(AgentHandler):
    """One agent's thresholds, as its operators know them."""

    route = "/api/agents/{agent}/thresholds"
    summary = "One agent's thresholds by site and task type, shaped as WMCore's listThresholdsForSubmit."

    @requires(Role.READER)
    def get(self, agent: str) -> Ready:
        """Answer with the agent's thresholds."""
        return self.document(self._of(agent, keys.thresholds))


class BacklogHandler(AgentHandler):
    """What waits to be created in one agent."""

    route = "/api/agents/{agent}/backlog"
    summary = "One agent's creation backlog by site and priority, shaped as WMCore's listThresholdsForCreate."

    @requires(Role.READER)
    def get(self, agent: str) -> Ready:
        """Answer with the agent's backlog."""
        return self.document(self._of(agent, keys.backlog))


HANDLERS = (AgentsHandler, AgentHandler, ThresholdsHandler, BacklogHandler)

"""What agents report of themselves."""

import re
from collections.abc import Mapping
from typing import Any

from rcmon.access.roles import Role
from rcmon.web.answers.answer import Bare, Streamed
from rcmon.web.answers.headers import NO_STORE
from rcmon.web.answers.problems import Problem
from rcmon.web.api.contract import gives, takes
from rcmon.web.api.query import Pretty
from rcmon.web.api.reports import LARGEST, ReportsShape
from rcmon.web.auth import not_theirs, requires
from rcmon.web.base import Handler

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_PUT = "PUT"


class ReportHandler(Handler):
    """One agent's own report; an agent's certificate gets at those of the agents that it is bound to."""

    route = "/api/agents/{agent}/report"
    summary = "What one agent reports of itself: pushed by the agent, told with its age and who pushed it."
    query: Pretty
    max_body = LARGEST

    def admit(self, agent: str) -> None:  # type: ignore[override]  # the route has this one part
        """Hold that the agent is that of who pushes, or reads as an agent."""
        decision = self.request.peer.decision()
        if decision.may_report_for(agent):
            return
        pushes = self.request.method == _PUT
        if not pushes and (Role.AGENT not in decision.roles or Role.OPERATOR in decision.roles):
            return
        theirs = sorted(decision.agents)
        detail = (
            f"{self.request.peer.identity.subject} is bound to {', '.join(theirs) or 'no agent'}, and not to"
            f" {agent!r}; who runs this service can bind it in the roles file."
        )
        raise not_theirs(self.request, Role.AGENT if pushes else Role.READER, detail, theirs)

    @requires(Role.READER)
    @gives(ReportsShape)
    async def get(self, agent: str) -> Streamed:
        """Answer with what the store holds."""
        return await self.services.reports.tell(agent, pretty=self.query.pretty)

    @requires(Role.AGENT)
    @gives(statuses=(204,), refuses=(409,))
    @takes(Mapping[str, Any])
    async def put(self, agent: str) -> Bare:
        """Keep a report."""
        if not _NAME.fullmatch(agent):
            detail = f"{agent[:200]!r} is not an agent's name: letters, digits, '.', '_', '-'."
            raise Problem(404, detail, agent=agent[:200])
        await self.services.reports.take(agent, self.request)
        return Bare(204, (NO_STORE,))


HANDLERS = (ReportHandler,)

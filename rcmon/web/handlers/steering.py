"""What agents are steered with."""

from typing import Annotated

from msgspec import Meta

from rcmon.access.roles import Role
from rcmon.web.answers.ready import Fresh, Ready
from rcmon.web.api.query import Pretty
from rcmon.web.api.steering import LARGEST, VERSION
from rcmon.web.auth import not_theirs, requires
from rcmon.web.base import JSON, Handler

MOST_WAIT = 60


class ControlQuery(Pretty, frozen=True, kw_only=True):
    """What the control document takes."""

    wait: Annotated[int, Meta(ge=0, le=MOST_WAIT)] = 0
    """Seconds to wait while the version is the one of `If-None-Match` or `version`."""
    version: Annotated[str, Meta(pattern=r"^[0-9]{1,18}$(?!\n)", description="a version's number")] = ""


def check_own(handler: Handler, agent: str) -> None:
    """Hold that the agent is one that who asks is bound to. Problem 403."""
    decision = handler.request.peer.decision()
    if decision.may_report_for(agent):
        return
    theirs = sorted(decision.agents)
    detail = (
        f"{handler.request.peer.identity.subject} is bound to {', '.join(theirs) or 'no agent'}, and not to"
        f" {agent!r}; who runs this service can bind it in the roles file."
    )
    raise not_theirs(handler.request, Role.AGENT, detail, theirs)


class ControlHandler(Handler):
    """What one agent is to make of its sites."""

    route = "/api/agents/{agent}/control"
    summary = "What one agent is to make of its sites, and where each value comes from; `wait` for a change."
    query: ControlQuery

    def admit(self, agent: str) -> None:  # type: ignore[override]  # the route has this one part
        """Hold that an agent reads its own; who reads all reads this too."""
        roles = self.request.peer.decision().roles
        if Role.AGENT in roles and Role.OPERATOR not in roles:
            check_own(self, agent)

    @requires(Role.READER)
    async def get(self, agent: str) -> Ready:
        """Answer with what holds, where somebody waits once it is another version."""
        told = await self.services.steering.told(agent, self.query.wait, self.query.version or None)
        return self.json(told)


class SearchHandler(Handler):
    """MonIT's search, as an unmodified agent asks it."""

    route = "/api/agents/{agent}/ssb/_msearch"
    summary = "What one unmodified agent's MonIT client asks for, in MonIT's shape; 503 in any doubt."
    max_body = LARGEST

    def admit(self, agent: str) -> None:  # type: ignore[override]  # the route has this one part
        """Hold that the agent is that of who asks."""
        check_own(self, agent)

    @requires(Role.AGENT)
    async def post(self, agent: str) -> Ready:
        """Answer one of the questions of an agent's cycle."""
        found = await self.services.steering.search(agent, self.request)
        return Ready(Fresh(found.body), JSON, fields=((VERSION, str(found.version)),))


HANDLERS = (ControlHandler, SearchHandler)

"""What agents are steered with."""

from typing import Annotated, Any

from msgspec import Meta

from rcmon.access.roles import Role
from rcmon.web.answers.answer import Bare
from rcmon.web.answers.headers import NO_STORE
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Fresh, Ready
from rcmon.web.api import quarantine, weights
from rcmon.web.api.contract import gives, takes
from rcmon.web.api.query import Pretty
from rcmon.web.api.steering import LARGEST, VERSION, ControlShape, SearchAnswer
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
    @gives(ControlShape)
    async def get(self, agent: str) -> Ready:
        """Answer with what holds, where somebody waits once it is another version."""
        told = await self.services.steering.told(
            agent, self.query.wait, self.query.version or None, lambda: agent in self.held().facts.agents
        )
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
    @gives(SearchAnswer)
    @takes(Any)
    async def post(self, agent: str) -> Ready:
        """Answer one of the questions of an agent's cycle."""
        found = await self.services.steering.search(agent, self.request)
        return Ready(Fresh(found.body), JSON, fields=((VERSION, str(found.version)),))


class QuarantineHandler(Handler):
    """What upstream says and is not let pass."""

    route = "/api/quarantine"
    summary = "What upstream says and is not let pass: why, and what it would change at which sites."
    query: Pretty

    @requires(Role.READER)
    @gives(quarantine.QuarantineDocument)
    async def get(self) -> Ready:
        """Answer with all that is held now."""
        return self.json(await self.services.quarantine.told())


class ReleaseHandler(Handler):
    """An operator lets pass what is held."""

    route = "/api/quarantine/{id}/release"
    summary = "An operator lets pass what is held, with a reason: it is effective with the next cycle."
    max_body = quarantine.LARGEST

    @requires(Role.OPERATOR)
    @gives(statuses=(204,), refuses=(409,))
    @takes(quarantine.DecisionBody)
    async def post(self, id: str) -> Bare:  # noqa: A002 - as the route calls it
        """Release it."""
        await self.services.quarantine.decide(id, "released", self.request)
        return Bare(204, (NO_STORE,))


class RejectHandler(Handler):
    """An operator says that what is held is wrong."""

    route = "/api/quarantine/{id}/reject"
    summary = "An operator says, with a reason, that what is held is wrong: it stays held, and is no finding."
    max_body = quarantine.LARGEST

    @requires(Role.OPERATOR)
    @gives(statuses=(204,), refuses=(409,))
    @takes(quarantine.DecisionBody)
    async def post(self, id: str) -> Bare:  # noqa: A002 - as the route calls it
        """Reject it."""
        await self.services.quarantine.decide(id, "rejected", self.request)
        return Bare(204, (NO_STORE,))


class WeightHandler(Handler):
    """What an agent takes of its team's share."""

    route = "/api/agents/{agent}/weight"
    summary = "What an agent takes of its team's share, at all sites or one: PUT a weight and a reason."
    max_body = weights.LARGEST

    @requires(Role.OPERATOR)
    @gives(statuses=(204,))
    @takes(weights.WeightBody)
    async def put(self, agent: str) -> Bare:
        """Set it."""

        async def check(site: str | None) -> None:
            await self._check_known(agent, site)

        await self.services.weights.set(agent, self.request, check)
        return Bare(204, (NO_STORE,))

    async def _check_known(self, agent: str, site: str | None) -> None:
        """Hold that there is such an agent, and the snapshot has such a site. Problem 404."""
        settings = await self.services.steering.settings()
        if agent not in settings.agents and agent not in self.held().facts.agents:
            raise Problem(404, f"There is no agent {agent[:200]!r} now.", agent=agent[:200])
        if site is not None and site not in await self.held().sites():
            raise Problem(404, f"There is no site {site[:200]!r} in the snapshot.", site=site[:200])


HANDLERS = (
    ControlHandler,
    SearchHandler,
    QuarantineHandler,
    ReleaseHandler,
    RejectHandler,
    WeightHandler,
)

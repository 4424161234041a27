"""Why work does not run."""

from rcmon.access.roles import Role
from rcmon.documents.why import WhyDocument
from rcmon.timestamps import iso
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api import why
from rcmon.web.api.contract import gives
from rcmon.web.api.query import AtPretty
from rcmon.web.api.then import PastWanted
from rcmon.web.api.then_why import select_then, told, why_then
from rcmon.web.api.why import Chosen, WhyQuery
from rcmon.web.auth import requires
from rcmon.web.base import Handler


class WhyHandler(Handler):
    """Every agent, site and task type, or those that a query selects."""

    route = "/api/why"
    summary = (
        "Why work does not run: every agent, site and task type, whether jobs are submitted, and why not;"
        " now or `at` a past moment."
    )
    query: WhyQuery

    @requires(Role.READER)
    @gives(WhyDocument, refuses=(410,))
    async def get(self) -> Ready:
        """Answer with a page, in the order of site, agent and task type."""
        if self.query.at:
            return await self._then()
        held, wanted = self.held(), self.query
        index = await held.why()
        chosen = await why.select(index.sites, wanted)
        timestamp = iso(held.facts.started)
        return self.json(await why.document(timestamp, chosen, index.agents, self._next(chosen)))

    async def _then(self) -> Ready:
        world = await self.then(PastWanted(self.query.at))
        chosen = await select_then(self.services.store, world, self.query)
        past = told(world)
        return self.json(await why.document(iso(world.time), chosen, {}, self._next(chosen), past))

    def _next(self, chosen: Chosen) -> str | None:
        """Write where the list goes on: the same query behind the last answer."""
        if not chosen.more:
            return None
        site, place, cell = chosen.page[-1]
        cursor = why.write_cursor((site, place.agent, cell.task))
        return self.onward("cursor", cursor)


class SiteWhyHandler(Handler):
    """One site in every agent, by task type."""

    route = "/api/sites/{site}/why"
    summary = "Why work does not run at one site: each agent and task type, with names and numbers; `at`."
    query: AtPretty

    @requires(Role.READER)
    @gives(WhyDocument, refuses=(410,))
    async def get(self, site: str) -> Ready:
        """Answer with all of the site."""
        if self.query.at:
            return await self._then(site)
        held = self.held()
        index = await held.why()
        chosen = why.of_site(index.sites, site)
        if chosen is None:
            raise Problem(404, f"There is no site {site!r} in the snapshot.", site=site)
        return self.json(await why.document(iso(held.facts.started), chosen, index.agents, None))

    async def _then(self, site: str) -> Ready:
        # all sites are read, and one is judged: an agent's task types are those of all of them
        world = await self.then(PastWanted(self.query.at))
        judged = await self.services.store.compute(lambda rest: why_then(world, rest, {site}))
        chosen = why.of_site(judged, site)
        if chosen is None:
            raise Problem(404, f"No agent had a site {site!r} at {self.query.at}.", site=site)
        return self.json(await why.document(iso(world.time), chosen, {}, None, told(world, site)))


HANDLERS = (WhyHandler, SiteWhyHandler)

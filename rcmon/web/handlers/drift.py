"""What should be, beside what is."""

from rcmon.access.roles import Role
from rcmon.documents import keys
from rcmon.documents.drift import DriftsDocument, ExpectedDocument
from rcmon.model import AgentExpected, Drift
from rcmon.timestamps import iso
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.contract import gives
from rcmon.web.api.cursor import Position, cut, position
from rcmon.web.api.drift import DriftQuery, choose, pairs, place_of, shaped
from rcmon.web.api.query import Pretty
from rcmon.web.auth import requires
from rcmon.web.base import Handler


class DriftHandler(Handler):
    """All states and thresholds that are others than expected, or those that a query selects."""

    route = "/api/drift"
    summary = "States and thresholds that are others than WMCore's formula gives, each with the reason."
    query: DriftQuery

    @requires(Role.READER)
    @gives(DriftsDocument)
    async def get(self) -> Ready:
        """Answer with a part of the list."""
        held, asked = self.held(), self.query
        chosen = list(choose(await held.decoded(keys.DRIFT, tuple[Drift, ...]), asked))
        groups = ((place_of(one[0]), shaped(one)) for one in chosen)
        rows, more = cut(groups, position(asked.cursor), asked.limit)
        total = sum(len(cells) for _, cells in chosen)
        timestamp = iso(held.facts.started)
        return self.json(DriftsDocument(timestamp, len(rows), total, self._next(more), rows))

    def _next(self, more: Position | None) -> str | None:
        if more is None:
            return None
        return self.onward("cursor", more.written())


class SiteExpectedHandler(Handler):
    """What should be at one site."""

    route = "/api/sites/{site}/expected"
    summary = "One site: the state and thresholds that WMCore's formula gives, beside those in each agent."
    query: Pretty

    @requires(Role.READER)
    @gives(ExpectedDocument)
    async def get(self, site: str) -> Ready:
        """Answer with expected beside actual, by agent."""
        held = self.held()
        found = (await held.sites()).get(site)
        if found is None:
            raise Problem(404, f"There is no site {site!r} in the snapshot.", site=site)
        expected = await held.decoded(keys.EXPECTED, dict[str, AgentExpected])
        timestamp = iso(held.facts.started)
        return self.json(ExpectedDocument(timestamp, site, pairs(found.document, site, expected)))


HANDLERS = (DriftHandler, SiteExpectedHandler)

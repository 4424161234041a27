"""The sites, over all agents."""

import hashlib
from collections.abc import Awaitable

from rcmon.access.roles import Role
from rcmon.documents import keys
from rcmon.timestamps import iso
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.sending import settled
from rcmon.web.api.query import Pretty
from rcmon.web.api.site_formats import MEDIA_TYPES, write
from rcmon.web.api.site_query import SiteQuery, cut, select
from rcmon.web.auth import requires
from rcmon.web.base import Handler


class SitesHandler(Handler):
    """All sites, or those that a query selects."""

    route = "/api/sites"
    summary = (
        "All sites over all agents: state, slots, jobs, and the numbers behind them; filtered by a query."
    )
    query: SiteQuery
    immediate = True

    @requires(Role.READER)
    def get(self) -> Awaitable[None] | None:
        """Answer with the snapshot's sites: ready bytes without a query, else a stream."""
        return (
            self._selected()
            if self.query != self.reader.nothing
            else self.send(self.held().ready[keys.SITES])
        )

    async def _selected(self) -> None:
        held = self.held()
        wanted = self.query
        chosen = cut(select((await held.sites()).values(), wanted), wanted)
        timestamp = iso(held.facts.started)
        digest = hashlib.sha256(f"{held.sites_digest} {timestamp} {wanted}".encode()).hexdigest()[:20]
        await self.send_stream(write(chosen, wanted, timestamp), MEDIA_TYPES[wanted.format], digest)


class SiteHandler(Handler):
    """One site, whole."""

    route = "/api/sites/{site}"
    summary = "One site: its state in each agent, slots, jobs and thresholds by agent and task type."
    query: Pretty

    @requires(Role.READER)
    async def get(self, site: str) -> None:
        """Answer with the site's part of the list."""
        found = (await self.held().sites()).get(site)
        if found is None:
            raise Problem(404, f"There is no site {site!r} in the snapshot.", site=site)
        await settled(self.send_text(found.document))


HANDLERS = (SitesHandler, SiteHandler)

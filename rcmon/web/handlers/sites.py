"""The sites, over all agents."""

import hashlib
from collections.abc import Awaitable

from msgspec import convert

from rcmon.access.roles import Role
from rcmon.documents import keys
from rcmon.timestamps import iso
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.sending import settled
from rcmon.web.api.query import PRETTY
from rcmon.web.api.site_formats import MEDIA_TYPES, write
from rcmon.web.api.site_query import PARAMETERS, SiteQuery, select
from rcmon.web.auth import requires
from rcmon.web.base import Handler


class SitesHandler(Handler):
    """All sites, or those that a query selects."""

    route = "/api/sites"
    summary = (
        "All sites over all agents: state, slots, jobs, and the numbers behind them; filtered by a query."
    )
    parameters = PARAMETERS
    immediate = True

    @requires(Role.READER)
    def get(self) -> Awaitable[None] | None:
        """Answer with the snapshot's sites: ready bytes without a query, else a stream."""
        return self._selected() if self.query else self.send(self.held().ready[keys.SITES])

    async def _selected(self) -> None:
        held = self.held()
        wanted = convert(self.query, SiteQuery)
        chosen = select((await held.sites()).values(), wanted)
        timestamp = iso(held.facts.started)
        digest = hashlib.sha256(f"{held.sites_digest} {timestamp} {wanted}".encode()).hexdigest()[:20]
        await self.send_stream(write(chosen, wanted, timestamp), MEDIA_TYPES[wanted.format], digest)


class SiteHandler(Handler):
    """One site, whole."""

    route = "/api/sites/{site}"
    summary = "One site: its state in each agent, slots, jobs and thresholds by agent and task type."
    parameters = (PRETTY,)

    @requires(Role.READER)
    async def get(self, site: str) -> None:
        """Answer with the site's part of the list."""
        found = (await self.held().sites()).get(site)
        if found is None:
            raise Problem(404, f"There is no site {site!r} in the snapshot.", site=site)
        await settled(self.send_text(found.document))


HANDLERS = (SitesHandler, SiteHandler)

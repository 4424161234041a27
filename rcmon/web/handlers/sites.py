"""The sites, over all agents."""

import hashlib
from collections.abc import Awaitable

from rcmon.access.roles import Role
from rcmon.documents import keys
from rcmon.timestamps import iso
from rcmon.web.answers.answer import Streamed
from rcmon.web.answers.headers import Field
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.query import Pretty
from rcmon.web.api.site_formats import MEDIA_TYPES, Listed, write
from rcmon.web.api.site_query import Format, SiteQuery, cut, next_offset, select
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
    def get(self) -> Ready | Awaitable[Streamed]:
        """Answer with the snapshot's sites: ready bytes without a query, else a stream."""
        return self._selected() if self.query != self.reader.nothing else self.held().ready(keys.SITES)

    async def _selected(self) -> Streamed:
        held = self.held()
        wanted = self.query
        chosen = select((await held.sites()).values(), wanted)
        timestamp = iso(held.facts.started)
        listed = Listed(timestamp, len(chosen), self._next(len(chosen)), cut(chosen, wanted))
        digest = hashlib.sha256(f"{held.sites_digest} {timestamp} {wanted}".encode()).hexdigest()[:20]
        return Streamed(write(listed, wanted), MEDIA_TYPES[wanted.format], digest, _file(wanted.format))

    def _next(self, total: int) -> str | None:
        """Write where the list goes on: the same query with another offset."""
        offset = next_offset(total, self.query)
        if offset is None:
            return None
        return self.onward("offset", offset)


def _file(form: Format) -> tuple[Field, ...]:
    """Name the file that a browser makes of what it does not show."""
    return () if form == "json" else (("Content-Disposition", f'attachment; filename="sites.{form}"'),)


class SiteHandler(Handler):
    """One site, whole."""

    route = "/api/sites/{site}"
    summary = "One site: its state in each agent, slots, jobs and thresholds by agent and task type."
    query: Pretty

    @requires(Role.READER)
    async def get(self, site: str) -> Ready:
        """Answer with the site's part of the list."""
        found = (await self.held().sites()).get(site)
        if found is None:
            raise Problem(404, f"There is no site {site!r} in the snapshot.", site=site)
        return self.text(found.document)


HANDLERS = (SitesHandler, SiteHandler)

"""The sites, over all agents."""

import asyncio
import hashlib
from collections.abc import Awaitable, Iterable

import msgspec
from msgspec import UNSET, UnsetType

from rcmon.access.roles import Role
from rcmon.documents import keys
from rcmon.documents.shapes import SiteEntry, SitesDocument, SiteShape, SiteThen
from rcmon.documents.then import Then
from rcmon.timestamps import iso
from rcmon.web.answers.answer import Streamed
from rcmon.web.answers.headers import Field
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.contract import gives
from rcmon.web.api.query import AtPretty
from rcmon.web.api.site_formats import MEDIA_TYPES, Listed, SiteMembersDocument, write
from rcmon.web.api.site_query import Format, SiteQuery, cut, next_offset, select
from rcmon.web.api.then import PastWanted
from rcmon.web.api.then_sites import OF_SITES, entries_then, site_then
from rcmon.web.auth import requires
from rcmon.web.base import Handler


class SitesHandler(Handler):
    """All sites, or those that a query selects."""

    route = "/api/sites"
    summary = (
        "All sites over all agents: state, slots, jobs, and the numbers behind them; filtered by a query,"
        " now or `at` a past moment."
    )
    query: SiteQuery
    immediate = True

    @requires(Role.READER)
    @gives(SitesDocument, SiteMembersDocument, texts=("text/csv", "application/x-ndjson"), refuses=(410,))
    def get(self) -> Ready | Awaitable[Streamed]:
        """Answer with the snapshot's sites: ready bytes without a query, else a stream."""
        if self.query.at:
            return self._then()
        return self._selected() if self.query != self.reader.nothing else self.held().ready(keys.SITES)

    async def _selected(self) -> Streamed:
        held = self.held()
        sites = (await held.sites()).values()
        return self._streamed(sites, held.facts.started, held.sites_digest)

    async def _then(self) -> Streamed:
        world = await self.then(PastWanted(self.query.at))
        sites = await asyncio.to_thread(entries_then, world)
        past = world.told(OF_SITES)
        digest = hashlib.sha256(msgspec.json.encode(past))
        for entry in sites:
            digest.update(entry.document)
        return self._streamed(sites, world.time, digest.hexdigest(), past)

    def _streamed(
        self, sites: Iterable[SiteEntry], time: float, held: str, past: Then | UnsetType = UNSET
    ) -> Streamed:
        """Write the sites that are asked for; `held` stands for all that there are."""
        wanted = self.query
        chosen = select(sites, wanted)
        timestamp = iso(time)
        listed = Listed(timestamp, len(chosen), self._next(len(chosen)), cut(chosen, wanted), past)
        digest = hashlib.sha256(f"{held} {timestamp} {wanted}".encode()).hexdigest()[:20]
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
    summary = "One site: its state in each agent, slots, jobs and thresholds by agent and task type; `at`."
    query: AtPretty

    @requires(Role.READER)
    @gives(SiteShape, SiteThen, refuses=(410,))
    async def get(self, site: str) -> Ready:
        """Answer with the site's part of the list, or with what is known of it at a past moment."""
        if self.query.at:
            return await self._then(site)
        found = (await self.held().sites()).get(site)
        if found is None:
            raise Problem(404, f"There is no site {site!r} in the snapshot.", site=site)
        return self.text(found.document)

    async def _then(self, site: str) -> Ready:
        world = await self.then(PastWanted(self.query.at, site=site))
        if not world.rows:
            raise Problem(404, f"No agent had a site {site!r} at {self.query.at}.", site=site)
        return self.json(site_then(site, world))


HANDLERS = (SitesHandler, SiteHandler)

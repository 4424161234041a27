"""The page for people: the overview."""

import asyncio
from typing import Any

import msgspec

from rcmon.access.roles import Role
from rcmon.documents import keys, links
from rcmon.documents.deflated import inflate
from rcmon.documents.overview import OverviewDocument
from rcmon.documents.shapes import FindingShape
from rcmon.errors import UNREADABLE
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.findings import joined, listed
from rcmon.web.api.site_query import STATES, TIERS
from rcmon.web.auth import requires
from rcmon.web.base import Handler, page
from rcmon.web.handlers.framed import frame
from rcmon.web.handlers.listing import ListPage
from rcmon.web.page import overview
from rcmon.web.page.agents import agent_rows, old_agents
from rcmon.web.page.attention import Attention, attention
from rcmon.web.page.figures import figures
from rcmon.web.page.form import PageQuery, chosen
from rcmon.web.page.heatmap import maps
from rcmon.web.page.paths import QUARANTINE_PAGE, agent_page, site_page
from rcmon.web.page.shades import SHADES, shown_reasons

_AT_ONCE = 100
"""Rows made before other requests get their turn."""
MOST = 1000
"""Rows of the table: a grid of more sites is filtered by the service."""


async def of_now(handler: Handler) -> dict[str, Any]:
    """Give what the upper part of the page shows: it has no form, and is patched as a whole."""
    services = handler.services
    held = services.board.current
    facts = held.facts if held else None
    sites = await held.sites() if held else {}
    totals = overview.totals(sites.values())
    agents = agent_rows(facts, services.clock())
    return {
        "status": services.status.now(),
        "facts": facts,
        "totals": totals,
        "figures": figures(totals, await services.trend.day()),
        "attention": await _attention(handler),
        "agents": agents,
        "unwell": sum(agent.health != "ok" for agent in agents),
    }


async def _attention(handler: Handler) -> Attention | None:
    """Order the findings; None where there are none to be read."""
    services = handler.services
    held = services.board.current
    if held is None:
        return None
    try:
        found = joined(listed(held), await services.acknowledgements.in_force())
    except Problem:
        return None
    pages = {one.id: link for one in found if (link := _link(one))}
    return attention(found, pages, services.clock(), held.facts.interval)


def _link(one: FindingShape) -> str | None:
    if one.site is not None:
        return site_page(one.site)
    if one.link == links.QUARANTINE:
        return QUARANTINE_PAGE
    return None if one.agent is None else agent_page(one.agent)


class PageHandler(ListPage):
    """The state of everything on one page."""

    route = "/"
    summary = "The page: what needs attention, how the agents do, and the state of all sites."
    query: PageQuery

    @requires(Role.READER)
    async def get(self) -> Ready:
        """Answer with the page."""
        return self.show("overview.html", "overview", **await of_now(self), **await self._values(self.query))

    async def _values(self, asked: PageQuery) -> dict[str, Any]:
        held = self.services.board.current
        facts = held.facts if held else None
        sites = await held.sites() if held else {}
        picked = chosen(sites.values(), asked)
        shown = picked[:MOST]
        rows = b"".join(
            [await self._rows(shown[start : start + _AT_ONCE]) for start in range(0, len(shown), _AT_ONCE)]
        )
        seen = _seen(self)
        columns = asked.columns or overview.USUAL
        return {
            "shown": len(picked),
            "most": MOST,
            "rows": rows,
            "headings": overview.headings(asked, asked.columns),
            "orders": overview.orders(asked),
            "columns": overview.COLUMNS[1:],
            "shown_columns": columns,
            "exports": overview.exports(asked, columns),
            "filtered": bool(overview.filters(asked)),
            "states": STATES,
            "tiers": TIERS,
            "seen": seen,
            "maps": maps(seen, {entry.name for entry in shown}) if seen else (),
            "shades": SHADES,
            "reasons": shown_reasons(),
            "old": old_agents(facts, self.services.clock()),
        }

    async def _rows(self, entries: Any) -> bytes:
        await asyncio.sleep(0)
        rows = [overview.row(entry) for entry in entries]
        return self.services.pages.fill("rows.html", rows=rows)


def _seen(handler: Handler) -> OverviewDocument | None:
    """Read what the maps show; None where this collector does not tell, or tells it in another form."""
    held = handler.services.board.current
    if held is None:
        return None
    try:
        return msgspec.json.decode(inflate(held.document(keys.OVERVIEW)), type=OverviewDocument)
    except (Problem, *UNREADABLE):
        return None


class NowHandler(Handler):
    """The upper part of the page alone, for the page itself: it stays up to date by it."""

    route = "/now"
    summary = "The upper part of the page by itself, by which a page that is open stays up to date."

    @requires(Role.READER)
    async def get(self) -> Ready:
        """Answer with that part."""
        body = self.services.pages.show("part.html", frame(self, "overview"), **await of_now(self))
        return page(body)


HANDLERS = (PageHandler, NowHandler)

"""The page for people."""

import asyncio
from typing import Any

from msgspec import field

from rcmon.access.roles import Role
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.site_query import STATES, TIERS
from rcmon.web.api.whoami import describe
from rcmon.web.auth import requires
from rcmon.web.base import Handler, page
from rcmon.web.handlers.framed import frame
from rcmon.web.page import overview
from rcmon.web.page.agents import agent_rows, old_agents
from rcmon.web.page.form import PageQuery, chosen
from rcmon.web.page.overrides import override_rows

_AT_ONCE = 100
"""Rows made before other requests get their turn."""


class PageHandler(Handler):
    """The state of everything on one page, without a script."""

    route = "/"
    summary = "The page: what the service is, who you are, and the state of all sites."
    query: PageQuery
    problems: list[Problem] = field(default_factory=list)
    """What of the query is not understood: the page says so itself, above its form."""

    @requires(Role.READER)
    async def get(self) -> Ready:
        """Answer with the page."""
        values = await self._values(self.query)
        body = self.services.pages.show("page.html", frame(self, "overview"), **values)
        if self.problems:
            self.problems[0].page = body
            raise self.problems[0]
        return page(body)

    def read_query(self) -> None:
        """Read the query; a form sends what was left empty, which counts for nothing."""
        given = {
            name: [text for text in texts if text.strip()]
            for name, texts in self.request.query_arguments.items()
        }
        self.query, self.problems = self.reader.read_leniently(
            {name: texts for name, texts in given.items() if texts}
        )

    async def _values(self, asked: PageQuery) -> dict[str, Any]:
        held = self.services.board.current
        sites = await held.sites() if held else {}
        picked = chosen(sites.values(), asked)
        rows = b"".join(
            [await self._rows(picked[start : start + _AT_ONCE]) for start in range(0, len(picked), _AT_ONCE)]
        )
        return {
            "status": self.services.status.now(),
            "facts": held.facts if held else None,
            "totals": overview.totals(sites.values()),
            "shown": len(picked),
            "rows": rows,
            "headings": overview.headings(asked),
            "wanted": asked,
            "problems": self.problems,
            "states": STATES,
            "tiers": TIERS,
            "agents": agent_rows(held.facts if held else None, self.services.clock()),
            "old": old_agents(held.facts if held else None, self.services.clock()),
            "overrides": override_rows(held.facts if held else None),
            "me": describe(self.request.peer),
            "resources": self.services.resources,
        }

    async def _rows(self, entries: Any) -> bytes:
        await asyncio.sleep(0)
        rows = [overview.row(entry) for entry in entries]
        return self.services.pages.fill("rows.html", rows=rows)


HANDLERS = (PageHandler,)

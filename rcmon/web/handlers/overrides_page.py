"""The page of overrides."""

import re
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from rcmon.access.roles import Role
from rcmon.model import Override
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.override_body import shape
from rcmon.web.api.query import Many, Query
from rcmon.web.api.site_query import matcher
from rcmon.web.auth import requires
from rcmon.web.handlers.listing import ListPage
from rcmon.web.page.form import Part, globs
from rcmon.web.page.honest import Matters, say_list, say_problem
from rcmon.web.page.overrides import override_rows

MOST = 10_000


class OverridesPage(Query, frozen=True, kw_only=True):
    """Which overrides the page shows."""

    site: Many[Part] = ()
    agent: Many[Part] = ()
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 100
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class OverridesPageHandler(ListPage):
    """What operators set, for people."""

    route = "/overrides"
    summary = "The page of overrides: what operators set, until when and why; they end or undo it there."
    query: OverridesPage

    @requires(Role.READER)
    async def get(self) -> Ready:
        """Answer with the page."""
        try:
            every = await self.services.overrides.every()
        except Problem as problem:
            return self._list([], [], say_problem(problem))
        chosen = _chosen(every, self.query)
        part = chosen[self.query.offset : self.query.offset + self.query.limit]
        said = say_list(shown=len(part), total=len(chosen), every=len(every), what="overrides")
        return self._list(part, chosen, said)

    def _list(self, part: Sequence[Override], chosen: Sequence[Override], said: Matters | None) -> Ready:
        held, end = self.services.board.current, self.query.offset + self.query.limit
        return self.show(
            "overrides.html",
            "overrides",
            said=said,
            rows=list(zip(override_rows(part), map(shape, part), strict=True)),
            total=len(chosen),
            more=self.onward("offset", end) if end < len(chosen) else None,
            first=self.onward("offset", 0),
            agents=held.facts.agents if held else (),
        )


def _chosen(every: Sequence[Override], asked: OverridesPage) -> Sequence[Override]:
    """Pick the overrides of sites and agents; what holds in every agent is of each of them."""
    site, agent = (matcher(globs(parts), re.IGNORECASE) for parts in (asked.site, asked.agent))
    return [
        one
        for one in every
        if (not asked.site or site(one.site)) and (not asked.agent or one.agent is None or agent(one.agent))
    ]


HANDLERS = (OverridesPageHandler,)

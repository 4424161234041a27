"""The page of findings."""

import re
from collections.abc import Sequence

from rcmon.access.roles import Role
from rcmon.documents.shapes import FindingShape
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.findings import behind, choose, joined, listed
from rcmon.web.auth import requires
from rcmon.web.handlers.listing import ListPage
from rcmon.web.page import findings
from rcmon.web.page.attention import worst_first
from rcmon.web.page.findings import FindingsPage
from rcmon.web.page.honest import NO_CYCLE, say_list, say_problem


class FindingsPageHandler(ListPage):
    """What needs attention, for people."""

    route = "/findings"
    summary = "The page of findings: what needs attention, filtered, and acknowledged by operators."
    query: FindingsPage

    @requires(Role.READER)
    async def get(self) -> Ready:
        """Answer with the page."""
        held = self.services.board.current
        if held is None:
            return self._list([], [], None, NO_CYCLE)
        try:
            every = worst_first(joined(listed(held), await self.services.acknowledgements.in_force()))
        except Problem as problem:
            return self._list([], [], None, say_problem(problem))
        return self._chosen(every)

    def _chosen(self, every: Sequence[FindingShape]) -> Ready:
        asked = self.query
        try:
            alike = choose(every, asked.wanted(severity=()), re.IGNORECASE)
            chosen = choose(alike, asked.wanted(site=(), agent=()))
            rest = behind(chosen, asked.cursor)
        except Problem as problem:
            self.problems.append(problem)
            alike = chosen = rest = list(every)
        part = rest[: asked.limit]
        more = self.onward("cursor", part[-1].id) if len(rest) > len(part) else None
        said = say_list(shown=len(part), total=len(chosen), every=len(every), what="findings")
        return self._list(part, chosen, more, said, alike=alike, every=every)

    def _list(
        self,
        part: Sequence[FindingShape],
        chosen: Sequence[FindingShape],
        more: str | None,
        said: object,
        *,
        alike: Sequence[FindingShape] = (),
        every: Sequence[FindingShape] = (),
    ) -> Ready:
        held = self.services.board.current
        return self.show(
            "findings.html",
            "findings",
            said=said,
            part=part,
            total=len(chosen),
            more=more,
            severities=findings.severities(alike, self.query),
            kinds=findings.kinds(every),
            causes=findings.by_cause(every),
            agents=held.facts.agents if held else (),
            first=findings.address(self.query),
        )


HANDLERS = (FindingsPageHandler,)

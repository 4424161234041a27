"""The page of the journal."""

from rcmon.access.roles import Role
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.journal import JournalPart, JournalSelection, read_part
from rcmon.web.auth import requires
from rcmon.web.handlers.listing import ListPage
from rcmon.web.page import journal
from rcmon.web.page.honest import NO_CYCLE, Matters, say_list, say_problem

_NOTHING = JournalPart([], 0, None)


class JournalPageHandler(ListPage):
    """What changed, for people."""

    route = "/journal"
    summary = "The page of the journal: what changed, when, from what to what, and by whom."
    query: JournalSelection

    @requires(Role.READER)
    async def get(self) -> Ready:
        """Answer with the page."""
        try:
            part = await read_part(self.services.store, self.query)
        except Problem as problem:
            if problem.status_code == 400:  # noqa: PLR2004 - a status
                self.problems.append(problem)
            return self._list(_NOTHING, say_problem(problem) if not self.problems else None)
        every = 0 if self.query == self.reader.nothing else part.total + 1
        said = say_list(shown=len(part.entries), total=part.total, every=every, what="entries")
        if said and said.matter == "unmatched":
            said = Matters(said.matter, said.word, "No entry of the journal is let through by this filter.")
        elif said and self.services.board.current is None:
            said = NO_CYCLE
        return self._list(part, said)

    def _list(self, part: JournalPart, said: Matters | None) -> Ready:
        held = self.services.board.current
        return self.show(
            "journal.html",
            "journal",
            said=said,
            rows=journal.entry_rows(part.entries),
            total=part.total,
            more=None if part.more is None else self.onward("cursor", part.more),
            first=journal.address(self.query),
            kinds=journal.MEANINGS,
            agents=held.facts.agents if held else (),
        )


HANDLERS = (JournalPageHandler,)

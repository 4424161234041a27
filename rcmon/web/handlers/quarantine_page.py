"""The page of what upstream says and is not let pass."""

from collections.abc import Sequence

from rcmon.access.roles import Role
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.quarantine import QuarantineShape
from rcmon.web.api.query import Query
from rcmon.web.auth import requires
from rcmon.web.handlers.listing import ListPage
from rcmon.web.page.honest import say, say_problem


class QuarantinePageHandler(ListPage):
    """What is held, for people."""

    route = "/quarantine"
    summary = "The page of what upstream says and is not let pass; operators release or reject it there."
    query: Query

    @requires(Role.READER)
    async def get(self) -> Ready:
        """Answer with the page."""
        held: Sequence[QuarantineShape] = ()
        said = None
        try:
            held = (await self.services.quarantine.told()).quarantine
        except Problem as problem:
            said = say_problem(problem)
        mode = self.services.status.now().control.mode
        if not held and said is None:
            said = say("empty", "Nothing is held: all that upstream says is let pass.")
        return self.show("quarantine.html", "quarantine", said=said, held=held, mode=mode)


HANDLERS = (QuarantinePageHandler,)

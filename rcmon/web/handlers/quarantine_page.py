"""The page of what upstream says and is not let pass."""

from collections.abc import Sequence

from rcmon.access.roles import Role
from rcmon.model.steering import MODES
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready
from rcmon.web.api.quarantine import QuarantineShape
from rcmon.web.api.query import Query
from rcmon.web.api.status_shapes import ControlStatus
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
        control = self.services.status.now().control
        if not held and said is None:
            said = say("empty", "Nothing is held: all that upstream says is let pass.")
        return self.show("quarantine.html", "quarantine", said=said, held=held, modes=_modes(control))


def _modes(control: ControlStatus) -> list[tuple[str, list[str]]]:
    """Tell in which mode agents are that are not named, and which are in another one."""
    others = {
        mode: [agent for agent, its in control.agents.items() if its == mode]
        for mode in MODES
        if mode != control.mode
    }
    return [(control.mode, []), *((mode, agents) for mode, agents in others.items() if agents)]


HANDLERS = (QuarantinePageHandler,)

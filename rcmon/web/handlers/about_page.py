"""The page about the service itself."""

from rcmon.access.roles import Role
from rcmon.web.answers.ready import Ready
from rcmon.web.api.query import Query
from rcmon.web.auth import requires
from rcmon.web.handlers.listing import ListPage
from rcmon.web.page.honest import WORDS


class AboutPageHandler(ListPage):
    """The service, and who asks it, for people."""

    route = "/about"
    summary = "The page about the service: version, processes, sources, who you are, what its words mean."
    query: Query

    @requires(Role.READER)
    async def get(self) -> Ready:
        """Answer with the page."""
        held = self.services.board.current
        return self.show("about.html", "about", words=WORDS, facts=held.facts if held else None)


HANDLERS = (AboutPageHandler,)

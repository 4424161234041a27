"""Places where something was before."""

from typing import ClassVar

from rcmon.access.roles import Role
from rcmon.web.about import BASE
from rcmon.web.answers.answer import Bare
from rcmon.web.api.contract import gives
from rcmon.web.api.query import Pretty
from rcmon.web.auth import requires
from rcmon.web.base import Handler
from rcmon.web.page.form import PageQuery


class MovedHandler(Handler):
    """A resource that stands elsewhere now, for good: old addresses still lead to it."""

    target: ClassVar[str]
    """The route where it stands."""

    @requires(Role.READER)
    @gives(statuses=(308,))
    def get(self) -> Bare:
        """Answer with where it is now, for the same query."""
        query = f"?{self.request.query}" if self.request.query else ""
        return Bare(308, (("Location", f"{BASE}{self.target}{query}"),))


class QualityHandler(MovedHandler):
    """Where the findings were before."""

    route = "/api/quality"
    target = "/api/findings"
    summary = "Where the findings were: a permanent redirect to /api/findings."
    query: Pretty


class RootHandler(MovedHandler):
    """The host's bare address, which is what a person types."""

    outside = "/"
    route = "host"
    target = "/"
    summary = "The host's bare address: a permanent redirect to the page."
    query: PageQuery


HANDLERS = (QualityHandler, RootHandler)

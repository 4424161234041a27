"""What there is."""

from rcmon.access.roles import Role
from rcmon.web.answers.ready import Ready
from rcmon.web.api.catalog import IndexDocument
from rcmon.web.api.contract import gives
from rcmon.web.api.query import Pretty
from rcmon.web.auth import requires
from rcmon.web.base import Handler


class IndexHandler(Handler):
    """The list of all resources, made from the table of routes."""

    route = "/api"
    summary = "This list: name, version, and every endpoint with its methods, role and purpose."
    query: Pretty
    immediate = True

    @requires(Role.READER)
    @gives(IndexDocument)
    def get(self) -> Ready:
        """Answer with the list."""
        return self.document(self.services.index)


HANDLERS = (IndexHandler,)

"""What needs an operator's attention."""

from collections.abc import Awaitable

from rcmon.access.roles import Role
from rcmon.documents import keys
from rcmon.web.api.query import Pretty
from rcmon.web.auth import requires
from rcmon.web.base import Handler


class FindingsHandler(Handler):
    """All findings."""

    route = "/api/findings"
    summary = "All findings: what is odd in the agents' databases or between agents, and how often."
    query: Pretty
    immediate = True

    @requires(Role.READER)
    def get(self) -> Awaitable[None] | None:
        """Answer with the snapshot's findings."""
        return self.send_document(self.held().ready[keys.FINDINGS])


HANDLERS = (FindingsHandler,)

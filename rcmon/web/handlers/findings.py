"""What needs an operator's attention."""

from rcmon.access.roles import Role
from rcmon.documents import keys
from rcmon.web.answers.ready import Ready
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
    def get(self) -> Ready:
        """Answer with the snapshot's findings."""
        return self.document(self.held().ready(keys.FINDINGS))


HANDLERS = (FindingsHandler,)

"""How the service does."""

from rcmon.access.roles import Role
from rcmon.web.answers.ready import Ready
from rcmon.web.api.contract import gives
from rcmon.web.api.query import Pretty
from rcmon.web.api.status_shapes import Status
from rcmon.web.auth import requires
from rcmon.web.base import Handler


class StatusHandler(Handler):
    """The status document. It is always a 200: the answer to the question is inside."""

    route = "/api/status"
    summary = "How the service does: healthy, degraded or unhealthy, and why."
    query: Pretty
    immediate = True

    @requires(Role.READER)
    @gives(Status)
    def get(self) -> Ready:
        """Answer with the document as it was within the last tenth of a second."""
        return self.document(self.services.status.ready())


HANDLERS = (StatusHandler,)

"""All sites in short."""

from rcmon.access.roles import Role
from rcmon.documents import keys
from rcmon.documents.overview import OverviewDocument
from rcmon.web.answers.ready import Ready
from rcmon.web.api.contract import gives
from rcmon.web.api.query import Pretty
from rcmon.web.auth import requires
from rcmon.web.base import Handler


class OverviewHandler(Handler):
    """What the page's table and maps show of the newest snapshot."""

    route = "/api/overview"
    summary = "All sites in short, a row each, and maps of what is submitted where: what the page shows."
    query: Pretty
    immediate = True

    @requires(Role.READER)
    @gives(OverviewDocument)
    def get(self) -> Ready:
        """Answer with the document."""
        return self.document(self.held().ready(keys.OVERVIEW))


HANDLERS = (OverviewHandler,)

"""What there is."""

from rcmon.access.roles import Role
from rcmon.web.answers.negotiation import prefers_html
from rcmon.web.answers.ready import Ready
from rcmon.web.api.catalog import IndexDocument
from rcmon.web.api.contract import gives
from rcmon.web.api.query import Pretty
from rcmon.web.auth import requires
from rcmon.web.base import Handler, page
from rcmon.web.handlers.framed import frame
from rcmon.web.page.reference import reference

_BY_KIND = "Accept, Accept-Encoding"


class IndexHandler(Handler):
    """The list of all resources, made from the table of routes; to a browser as a page."""

    route = "/api"
    summary = "All resources: methods, role, purpose; to a browser as a page, made from the OpenAPI document."
    query: Pretty
    immediate = True

    @requires(Role.READER)
    @gives(IndexDocument, texts=("text/html",))
    def get(self) -> Ready:
        """Answer with the list."""
        if prefers_html(self.request.headers.get("Accept")) and not self.query.pretty:
            return self._page()
        return self.document(self.services.handbook.index)

    def _page(self) -> Ready:
        services = self.services
        host = self.request.headers.get("Host", "localhost")
        told = reference(services.handbook.contract, f"https://{host}")
        return page(services.pages.show("api.html", frame(self, "api"), told=told), vary=_BY_KIND)


HANDLERS = (IndexHandler,)

"""Tornado's way to a handler: a request is handed to it, and what it returns is sent; errors as problems."""

import inspect
import logging
import re
from types import TracebackType
from typing import Any
from urllib.parse import unquote_to_bytes

from tornado.web import HTTPError, RequestHandler

from rcmon.telemetry.own import OTHER
from rcmon.web.answers import sending
from rcmon.web.answers.headers import CONTENT_POLICY, NO_STORE, SECURITY
from rcmon.web.answers.negotiation import prefers_html
from rcmon.web.answers.problems import MEDIA_TYPE, Problem, document, problem_of
from rcmon.web.auth import allowed
from rcmon.web.base import Handler
from rcmon.web.services import Services
from rcmon.web.transport.peer import Peer
from rcmon.web.transport.request import Request
from rcmon.web.transport.tornado_way import Stock

LOG = logging.getLogger(__name__)

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


class Delivery(RequestHandler):
    """What Tornado calls for every route: `resource` is the handler that answers."""

    asked: Request | None = None

    def initialize(self, resource: type[Handler]) -> None:
        """Take the handler of the route."""
        self.resource = resource

    def prepare(self) -> None:
        """Refuse control characters, which no resource's name holds."""
        if _CONTROL.search(unquote_to_bytes(self.request.path)):
            raise Problem(400, "The path holds a control character; no resource's name does.")

    async def deliver(self, *args: str, **kwargs: str) -> None:
        """Let the handler answer, which checks the role, and send that; HEAD is GET without the body."""
        method = self.request.method or ""
        if method not in allowed(self.resource):
            raise HTTPError(405)
        services: Services = self.application.settings["services"]
        handler = self.resource.of(self._ask(), services)
        written = "get" if method == "HEAD" else method.lower()
        answer = getattr(handler, written)(*args, **kwargs)
        await sending.send(self, await answer if inspect.isawaitable(answer) else answer)

    get = head = post = put = patch = delete = options = deliver

    def _ask(self) -> Request:
        """Make the handler's request; Problem 403 where the connection knows of nobody."""
        request = self.request
        peer = getattr(request.connection, "context", None)
        if not isinstance(peer, Peer):
            raise Problem(403, "This connection proved no identity.")
        self.asked = Request(
            method=request.method or "",
            path=request.path,
            headers=request.headers,
            peer=peer,
            query=request.query,
            query_arguments=request.query_arguments,
            body=request.body,
        )
        return self.asked

    def set_default_headers(self) -> None:
        """Begin every answer with the same fields."""
        for name, value in SECURITY:
            self.set_header(name, value)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer an error as a problem document, or as a page to a browser."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        problem = problem_of(status_code, error, allowed(self.resource))
        self.set_status(problem.status_code)
        for name, value in (NO_STORE, ("Vary", "Accept, Accept-Encoding"), *problem.fields):
            self.set_header(name, value)
        if problem.page is not None or prefers_html(self.request.headers.get("Accept")):
            services: Services = self.application.settings["services"]
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.set_header(*CONTENT_POLICY)
            self.finish(problem.page or services.pages.error(problem))
        else:
            self.set_header("Content-Type", MEDIA_TYPE)
            text = document(problem.status_code, problem.detail, self.request.path, problem.members)
            self.finish(text)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log what was not meant to happen; an error answer is in the access log."""
        if not isinstance(value, HTTPError):
            error = (typ, value, tb) if typ and value else None
            LOG.error("%s %s failed", self.request.method, self.request.path, exc_info=error)


def finished(delivery: RequestHandler) -> None:
    """Tell the connection what became of a request: the application's log function."""
    connection = delivery.request.connection
    if not isinstance(connection, Stock):
        return
    if isinstance(delivery, Delivery):
        authorized = delivery.asked.authorized if delivery.asked else None
        connection.finished(delivery.resource.route, delivery.get_status(), authorized)
    else:
        connection.finished(OTHER, delivery.get_status(), None)

"""Tornado's way to a handler: a request is handed to it, and what it returns is sent; errors as problems."""

import inspect
import logging
import math
import re
import sys
from types import TracebackType
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

from tornado.web import HTTPError, RequestHandler, stream_request_body

from rcmon.telemetry.own import OTHER
from rcmon.web.answers import sending
from rcmon.web.answers.answer import Live
from rcmon.web.answers.headers import CONTENT_POLICY, NO_STORE, SECURITY
from rcmon.web.answers.negotiation import prefers_html
from rcmon.web.answers.problems import MEDIA_TYPE, Problem, document, problem_of
from rcmon.web.auth import allowed, authorize, need_for
from rcmon.web.base import Handler
from rcmon.web.services import Services
from rcmon.web.transport.bodies import BodyRoom, announced
from rcmon.web.transport.peer import Peer
from rcmon.web.transport.request import Request
from rcmon.web.transport.tornado_way import Stock

LOG = logging.getLogger(__name__)

_NOT_ALLOWED = 405
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


@stream_request_body
class Delivery(RequestHandler):
    """What Tornado calls for every route: `resource` is the handler that answers.

    It is asked at the head: what is wrong with a request whose body is yet to come is answered unread.
    """

    asked: Request | None = None
    _live: Live | None = None
    """An answer that is under way."""
    _room: BodyRoom | None = None
    """For the body."""

    def initialize(self, resource: type[Handler]) -> None:
        """Take the handler of the route."""
        self.resource = resource
        self._body = bytearray()
        self._coming = announced(self.request.headers)
        """Bytes of the body that are to be read yet; infinite: as many as come."""
        if not self._coming and isinstance(connection := self.request.connection, Stock):
            connection.nothing_follows()

    def prepare(self) -> None:
        """Refuse control characters, which no resource's name holds, and bodies that are not to be read."""
        if _CONTROL.search(unquote_to_bytes(self.request.path)):
            raise Problem(400, "The path holds a control character; no resource's name does.")
        if self._coming:
            self._make_room(self._coming)

    def _make_room(self, size: float) -> None:
        """Let a body come. Problem where it may not."""
        method, most = self._method(), self.resource.max_body
        request = self._ask()
        authorize(request, need_for(self.resource, method))
        self._handler(request).admit(**self.path_kwargs)
        if not isinstance(connection := self.request.connection, Stock):
            raise Problem(413, "Nobody counts the bodies of this connection.")
        if not most or most < size < math.inf:
            self._refuse_body(connection)
        self._room = connection.bodies.take(request.peer.identity, int(min(size, most)))
        connection.set_max_body_size(sys.maxsize)  # data_received holds it to its limit

    def data_received(self, chunk: bytes) -> None:
        """Take a piece of the body; one in chunks may turn out too large."""
        self._body += chunk
        if len(self._body) > self.resource.max_body and isinstance(
            connection := self.request.connection, Stock
        ):
            try:
                self._refuse_body(connection)
            except Problem as problem:
                self.send_error(problem.status_code, exc_info=(Problem, problem, None))

    def _refuse_body(self, connection: Stock) -> NoReturn:
        self._body.clear()
        connection.bodies.refused("too_large" if self.resource.max_body else "not_taken")
        self._handler(self._ask()).refuse_body()

    def _handler(self, request: Request) -> Handler:
        """Make the handler of the request."""
        services: Services = self.application.settings["services"]
        return self.resource.of(request, services)

    def _method(self) -> str:
        """Give the method, if the resource takes it."""
        method = self.request.method or ""
        if method not in allowed(self.resource):
            raise HTTPError(405)
        return method

    def on_finish(self) -> None:
        """Give back what the body took."""
        self._body.clear()
        if self._room is not None:
            self._room.release()

    def on_connection_close(self) -> None:
        """Give it back where the client is gone."""
        super().on_connection_close()
        if self._live is not None and not self._live.over.done():
            self._live.over.set_result("client")
        self.on_finish()

    async def deliver(self, *args: str, **kwargs: str) -> None:
        """Let the handler answer, which checks the role, and send that; HEAD is GET without the body."""
        self._coming = 0
        method = self._method()
        handler = self._handler(self._ask())
        written = "get" if method == "HEAD" else method.lower()
        answer = getattr(handler, written)(*args, **kwargs)
        given = await answer if inspect.isawaitable(answer) else answer
        if isinstance(given, Live):
            self._live = given
            if isinstance(connection := self.request.connection, Stock):
                connection.lasts()
        await sending.send(self, given)

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
            body=bytes(self._body),
        )
        self._body.clear()
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
        if self._coming:
            self.set_header("Connection", "close")
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
            connection = self.request.connection
            name = connection.replay.request_id if isinstance(connection, Stock) else "unknown"
            what = (self.request.method, self.request.path, name)
            LOG.error("%s %s failed (request %s)", *what, exc_info=error)


def finished(delivery: RequestHandler) -> None:
    """Tell the connection what became of a request: the application's log function."""
    connection = delivery.request.connection
    if not isinstance(connection, Stock):
        return
    if delivery.get_status() == _NOT_ALLOWED:
        connection.refused("method")
    if isinstance(delivery, Delivery):
        authorized = delivery.asked.authorized if delivery.asked else None
        connection.finished(delivery.resource.route, delivery.get_status(), authorized)
    else:
        connection.finished(OTHER, delivery.get_status(), None)

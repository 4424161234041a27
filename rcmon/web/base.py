"""What all handlers share: the role check on every method, answers on both ways, errors as problems."""

import logging
import re
from collections.abc import AsyncIterator, Awaitable
from inspect import get_annotations as annotated
from types import TracebackType
from typing import Any, ClassVar, cast
from urllib.parse import unquote_to_bytes

import msgspec
from tornado.httputil import HTTPServerRequest
from tornado.web import Application, HTTPError, RequestHandler

from rcmon.web.answers import sending
from rcmon.web.answers.headers import CONTENT_POLICY, SECURITY
from rcmon.web.answers.negotiation import prefers_html
from rcmon.web.answers.problems import MEDIA_TYPE, Problem, document, problem_of
from rcmon.web.answers.ready import Fresh, Ready
from rcmon.web.api.query import Query, QueryReader
from rcmon.web.auth import Peer, authorize
from rcmon.web.board import Held
from rcmon.web.rolecheck import allowed, check_roles, follows_get, needs
from rcmon.web.services import Services

log = logging.getLogger(__name__)

JSON = "application/json"
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


class Handler(RequestHandler):
    """One resource. A subclass's HTTP methods carry `@requires`; HEAD and OPTIONS follow GET's.

    A subclass that writes a method without a role is an error where it is defined.
    """

    route: ClassVar[str]
    """Path below BASE, with `{name}` for a part that is passed to the method; the label in metrics."""
    summary: ClassVar[str] = ""
    """What the resource is, in one sentence."""
    reader: ClassVar[QueryReader[Any]]
    """Reads what `query` is declared to be."""
    query: Query
    """What is asked. A subclass declares the struct of its parameters; without one there are none."""
    immediate: ClassVar[bool] = False
    """Whether GET answers at once from ready bytes and may run twice: then the short way may call it."""
    authorized: tuple[str, str] | None = None
    """Role and outcome (granted, denied) of the last check, for the counters."""

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        check_roles(cls)
        declared = (annotated(base, eval_str=True).get("query") for base in cls.__mro__)
        cls.reader = QueryReader(next(shape for shape in declared if shape))

    def __init__(self, application: Application, request: HTTPServerRequest, **kwargs: Any) -> None:
        self.short: bool = getattr(request.connection, "short", False)
        self.query = self.reader.nothing
        if self.short:
            self.application, self.request = application, request
        else:
            super().__init__(application, request, **kwargs)

    @property
    def services(self) -> Services:
        """What this worker's handlers work with."""
        return cast("Services", self.application.settings["services"])

    def held(self) -> Held:
        """Give the newest snapshot; Problem 503 before there is one."""
        held = self.services.board.current
        if held is None:
            raise Problem(
                503, "There is no snapshot yet: no cycle has ended.", fields=(("Retry-After", "5"),)
            )
        return held

    def peer(self) -> Peer | None:
        """Who asks; None where the connection knows of nobody (then nothing is allowed)."""
        context = getattr(self.request.connection, "context", None)
        return context if hasattr(context, "decision") else None

    def asking(self) -> Peer:
        """Who asks, behind the role check."""
        peer = self.peer()
        if peer is None:
            raise Problem(403, "This connection proved no identity.")
        return peer

    def read_query(self) -> None:
        """Read the query into `self.query`; Problem 400 where it holds what is not understood."""
        if not self.short:
            self.query = self.reader.read(self.request.query_arguments)

    def prepare(self) -> None:
        """Refuse control characters, which no resource's name holds; a short head never has them."""
        if _CONTROL.search(unquote_to_bytes(self.request.path)):
            raise Problem(400, "The path holds a control character; no resource's name does.")

    @follows_get
    def head(self, *args: str, **kwargs: str) -> Awaitable[None] | None:
        """Answer as GET, which checks the role; the body is left out where it would be written."""
        return self.get(*args, **kwargs)

    @follows_get
    def options(self, *args: str, **kwargs: str) -> None:  # noqa: ARG002 - which of its kind does not matter
        """Name the methods to whoever may use the first of them."""
        authorize(self, next(need for _, need in needs(type(self)) if need))
        self.set_status(204)
        self.set_header("Allow", ", ".join(allowed(type(self))))

    def send(self, ready: Ready) -> Awaitable[None] | None:
        """Answer with ready bytes, on whichever way the request came."""
        if not self.short:
            return sending.send(self, ready)
        sending.send_short(self, ready)
        return None

    def send_json(self, value: object) -> Awaitable[None] | None:
        """Answer with a value as JSON."""
        return self.send_text(msgspec.json.encode(value))

    def send_text(self, text: bytes) -> Awaitable[None] | None:
        """Answer with JSON text, indented where `?pretty` asks for it."""
        if getattr(self.query, "pretty", False):
            text = msgspec.json.format(text, indent=2)
        return self.send(Ready(Fresh(text.rstrip(b"\n") + b"\n"), JSON))

    def send_document(self, ready: Ready) -> Awaitable[None] | None:
        """Answer with a JSON document that is ready, made anew where `?pretty` asks for it."""
        if getattr(self.query, "pretty", False):
            return self.send_text(b"".join(ready.body.chunks()))
        return self.send(ready)

    def send_page(self, page: bytes) -> Awaitable[None] | None:
        """Answer with a web page."""
        return self.send(Ready(Fresh(page), "text/html; charset=utf-8", fields=(CONTENT_POLICY,)))

    def send_stream(self, pieces: AsyncIterator[bytes], media_type: str, digest: str) -> Awaitable[None]:
        """Answer with bytes that are computed while they leave."""
        return sending.stream(self, pieces, media_type, digest)

    def set_default_headers(self) -> None:
        """Begin every answer of Tornado's way with the same fields."""
        for name, value in SECURITY:
            self.set_header(name, value)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer an error as a problem document, or as a page to a browser."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        problem = problem_of(status_code, error, allowed(type(self)))
        self.set_status(problem.status_code)
        for name, value in (
            ("Cache-Control", "no-store"),
            ("Vary", "Accept, Accept-Encoding"),
            *problem.fields,
        ):
            self.set_header(name, value)
        if prefers_html(self.request.headers.get("Accept")):
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.set_header(*CONTENT_POLICY)
            self.finish(self.services.pages.error(problem))
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
            log.error("%s %s failed", self.request.method, self.request.path, exc_info=error)

"""What all handlers share. A handler returns its answer; how that leaves is none of its business."""

from inspect import get_annotations as annotated
from typing import Any, ClassVar, NoReturn, Self
from urllib.parse import urlencode

import msgspec

from rcmon.web.answers.answer import Bare, Written
from rcmon.web.answers.headers import CONTENT_POLICY, NO_STORE
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Fresh, Ready
from rcmon.web.api.query import Query, QueryReader
from rcmon.web.api.then import PastGrid, PastWanted, read_grid_then
from rcmon.web.auth import Guarded, allowed, authorize, check_roles, follows_get, needs
from rcmon.web.board import Held, no_snapshot
from rcmon.web.services import Services
from rcmon.web.transport.request import Request

JSON = "application/json"


class Handler(Guarded, eq=False):
    """One resource. A subclass's HTTP methods carry `@requires` and return an `Answer`, or are coroutines.

    HEAD and OPTIONS follow GET. A subclass that writes a method without a role is an error where it is
    defined. A handler holds these fields and no others, so that nothing of a request stays for the next.
    """

    outside: ClassVar[str | None] = None
    """Where it stands, if not at its route below BASE."""
    route: ClassVar[str]
    """Path below BASE, with `{name}` for a part that is passed to the method; the label in metrics."""
    summary: ClassVar[str] = ""
    """What the resource is, in one sentence."""
    reader: ClassVar[QueryReader[Any]]
    """Reads what `query` is declared to be."""
    immediate: ClassVar[bool] = False
    """Whether GET without a query returns ready bytes at once, and may run twice: it goes the short way."""

    lasting: ClassVar[bool] = False
    """Whether the answer to GET has no end of its own."""

    max_body: ClassVar[int] = 0
    """Bytes that the body of a request may have, at most LARGEST; 0: none is taken."""

    services: Services
    """What this worker's handlers work with."""
    query: Query
    """What is asked. A subclass declares the struct of its parameters; without one there are none."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        check_roles(cls)
        declared = (annotated(base, eval_str=True).get("query") for base in cls.__mro__)
        cls.reader = QueryReader(next(shape for shape in declared if shape))

    @classmethod
    def of(cls, request: Request, services: Services) -> Self:
        """Make the handler of one request, whose query is not read yet."""
        return cls(request=request, services=services, query=cls.reader.nothing)

    def held(self) -> Held:
        """Give the newest snapshot; Problem 503 before there is one."""
        held = self.services.board.current
        if held is None:
            raise no_snapshot()
        return held

    async def then(self, asked: PastWanted) -> PastGrid:
        """Read what held at a past moment. Problem 400, 410 or 503; 503 too before there is a snapshot."""
        return await read_grid_then(
            self.services.store, asked, self.held().facts.started, self.services.clock
        )

    def refuse_body(self) -> NoReturn:
        """Raise the problem with a body that is larger than `max_body`; who asks has the role."""
        takes = f"a body of at most {self.max_body} bytes" if self.max_body else "no body"
        raise Problem(413, f"This resource takes {takes}.")

    def read_query(self) -> None:
        """Read the query into `self.query`; Problem 400 where it holds what is not understood."""
        self.query = self.reader.read(self.request.query_arguments)

    @follows_get
    def options(self, *args: str, **kwargs: str) -> Bare:
        """Name the methods to whoever may use the first of them."""
        authorize(self.request, next(need for _, need in needs(type(self)) if need))
        self.admit(*args, **kwargs)
        return Bare(204, (("Allow", ", ".join(allowed(type(self)))), NO_STORE))

    def onward(self, parameter: str, value: object) -> str:
        """Write where a list goes on: the same query, but for one parameter."""
        asked = [
            (name, text)
            for name, texts in self.request.query_arguments.items()
            if name != parameter
            for text in texts
        ]
        return f"{self.request.path}?{urlencode([*asked, (parameter, value)])}"

    def json(self, value: object, digest: str | None = None) -> Ready:
        """Answer with a value as JSON; `digest`: what its ETag is made of, where that is not the text."""
        return self.text(msgspec.json.encode(value), digest)

    def text(self, text: bytes, digest: str | None = None) -> Ready:
        """Answer with JSON text, indented where `?pretty` asks for it; `digest`: what its ETag is made of."""
        return Ready(Fresh(self._indented(text), digest), JSON)

    def written(self, value: object, status: int = 200, tag: str | None = None) -> Written:
        """Answer a change with what it gave, as JSON; `tag`: of the state that is there now."""
        fields = () if tag is None else (("ETag", f'"{tag}"'),)
        return Written(status, self._indented(msgspec.json.encode(value)), JSON, fields)

    def _indented(self, text: bytes) -> bytes:
        if getattr(self.query, "pretty", False):
            text = msgspec.json.format(text, indent=2)
        return text.rstrip(b"\n") + b"\n"

    def document(self, ready: Ready) -> Ready:
        """Answer with a JSON document that is ready, made anew where `?pretty` asks for it."""
        if getattr(self.query, "pretty", False):
            return self.text(b"".join(ready.body.chunks()))
        return ready


def page(body: bytes, vary: str = "Accept-Encoding") -> Ready:
    """Answer with a web page; `vary`: the fields of the request that it depends on."""
    return Ready(Fresh(body), "text/html; charset=utf-8", vary=vary, fields=(CONTENT_POLICY,))

"""What a method of a resource takes and gives, said beside the method: the OpenAPI document is made of it."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from msgspec import Struct

F = TypeVar("F", bound=Callable[..., Any])


class Given(Struct, frozen=True):
    """What a method answers where all is well, and which refusals are its own."""

    shapes: tuple[Any, ...] = ()
    """Types of the JSON answer; several: one of them."""
    statuses: tuple[int, ...] = (200,)
    texts: tuple[str, ...] = ()
    """Media types of answers that are no JSON."""
    refuses: tuple[int, ...] = ()
    """Statuses of problems that only some methods have; those that all have go without saying."""
    named: tuple[Any, ...] = ()
    """Further types that the schemas of `shapes` name."""


class Content(Struct, frozen=True):
    """What the body of a request is."""

    shape: Any
    needed: bool = True
    """Whether there must be one."""


class PathPart(Struct, frozen=True):
    """A part of the path that is filled in."""

    name: str
    meaning: str


class QueryPart(Struct, frozen=True):
    """One query parameter."""

    name: str
    meaning: str
    schema: dict[str, Any]
    many: bool


class Operation(Struct, frozen=True):
    """One method of one resource."""

    path: str
    method: str
    identifier: str
    """Unique among all."""
    role: str
    """The role that is needed; `any`: any certificate will do."""
    summary: str
    meaning: str
    """What the method does, in one sentence."""
    parts: Sequence[PathPart]
    query: Sequence[QueryPart]
    given: Given
    body: Content | None
    page: bool
    """Whether it is for people."""


PAGE = Given(texts=("text/html",))
"""What a method gives that says nothing: a web page."""


def gives(
    *shapes: Any,
    statuses: tuple[int, ...] = (200,),
    texts: tuple[str, ...] = (),
    refuses: tuple[int, ...] = (),
    named: tuple[Any, ...] = (),
) -> Callable[[F], F]:
    """Say what a method gives, as `Given` has it; stands below `@requires`."""

    def decorate(method: F) -> F:
        method.given = Given(shapes, statuses, texts, refuses, named)  # type: ignore[attr-defined]
        return method

    return decorate


def takes(shape: Any, *, needed: bool = True) -> Callable[[F], F]:
    """Say what the body of a method's request is, as `Content` has it; stands below `@requires`."""

    def decorate(method: F) -> F:
        method.body = Content(shape, needed)  # type: ignore[attr-defined]
        return method

    return decorate


def given_by(method: object) -> Given | None:
    """Tell what a method says that it gives; None: it says nothing."""
    found = getattr(method, "given", None)
    return found if isinstance(found, Given) else None


def body_of(method: object) -> Content | None:
    """Tell what a method says that it takes; None: no body."""
    found = getattr(method, "body", None)
    return found if isinstance(found, Content) else None

"""What the service answered, made out: a document, or why there is none."""

from typing import Any, TypeVar

import httpx2
import msgspec
from msgspec import Struct

from rcmon.errors import UNREADABLE
from rcmon.terminal.failure import FORBIDDEN, PROTOCOL, REFUSED, UNAVAILABLE, USAGE, TerminalError
from rcmon.version import VERSION

_OK, _NO_CONTENT, _NOT_MODIFIED = range(200, 300), 204, 304
_MOVED = range(300, 400)
_ASKED_WRONG = {400, 413, 415, 422}
_NOT_LET_IN = {401, 403}
_JUST_NOW = {408, 421, 429, 500, 502, 503, 504}
_NOT_FOUND = 404
_PROBLEM = "application/problem+json"
_SHOWN = 500
"""Characters of a detail; more is none."""

T = TypeVar("T")


class Received(Struct, frozen=True):
    """A document of the service."""

    status: int
    document: Any
    """As JSON has it; None where there is no body."""
    etag: str | None = None
    server: str = ""
    """The program that answered, as it says."""


class ProblemSeen(Struct, frozen=True):
    """An error as the service tells it (RFC 9457)."""

    detail: str = ""
    title: str = ""
    role_missing: str = ""
    subject: str = ""


def is_absence(response: httpx2.Response) -> bool:
    """Tell whether the service says that there is no such thing; not any 404 of whatever answers."""
    kind = response.headers.get("content-type", "")
    return response.status_code == _NOT_FOUND and kind.startswith(_PROBLEM)


def made_out(response: httpx2.Response, body: bytes, service: str) -> Received:
    """Make out an answer. Raises TerminalError for any but a success, and for what is no JSON."""
    status = response.status_code
    if status not in _OK and status != _NOT_MODIFIED:
        raise _failure(status, body, response.headers.get("content-type", ""), service)
    etag = response.headers.get("etag")
    server = response.headers.get("server", "")
    if status in (_NO_CONTENT, _NOT_MODIFIED):
        return Received(status, None, etag, server)
    try:
        return Received(status, msgspec.json.decode(body), etag, server)
    except UNREADABLE as error:
        raise TerminalError(
            f"{service} answered what is not JSON ({error}): is it rcmon, and its API?", PROTOCOL
        ) from error


def as_type(value: Any, shape: type[T], what: str) -> T:
    """Read a part of a document, of which more may be there than is known here, and less."""
    try:
        return msgspec.convert(value, shape)
    except UNREADABLE as error:
        raise TerminalError(
            f"{what} is not as this program knows it ({error}): the service is older or newer than"
            f" rcmon-cli {VERSION}",
            PROTOCOL,
        ) from error


def _failure(status: int, body: bytes, kind: str, service: str) -> TerminalError:
    problem = _problem(body, kind)
    detail = problem.detail[:_SHOWN].rstrip() or problem.title[:_SHOWN]
    if status in _NOT_LET_IN:
        return TerminalError(_forbidden(problem, detail, service), FORBIDDEN)
    if status in _MOVED:
        return TerminalError(f"{service} sends elsewhere ({status}): is that the address of rcmon?", PROTOCOL)
    if not detail:
        exit_status = UNAVAILABLE if status in _JUST_NOW else PROTOCOL
        return TerminalError(f"{service} answered {status} without saying why: is it rcmon?", exit_status)
    if status in _ASKED_WRONG:
        return TerminalError(detail, USAGE)
    return TerminalError(detail, UNAVAILABLE if status in _JUST_NOW else REFUSED)


def _problem(body: bytes, kind: str) -> ProblemSeen:
    if not kind.startswith(_PROBLEM):
        return ProblemSeen()
    try:
        return msgspec.json.decode(body, type=ProblemSeen)
    except UNREADABLE:
        return ProblemSeen()


def _forbidden(problem: ProblemSeen, detail: str, service: str) -> str:
    if problem.role_missing and problem.subject:
        return (
            f"{service} refuses this: {problem.subject} lacks the role {problem.role_missing};"
            " who runs the service grants it in the roles file"
        )
    return f"{service} refuses this: {detail}" if detail else f"{service} refuses this, without saying why"

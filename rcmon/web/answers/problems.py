"""Errors as RFC 9457 problem details, or as a page for whoever sits at a browser."""

from collections.abc import Mapping
from http.client import responses

import msgspec
from tornado.web import HTTPError

from rcmon.web.answers.headers import Field

MEDIA_TYPE = "application/problem+json"

_METHOD_NOT_ALLOWED = 405
_DETAILS = {
    400: "The request cannot be understood.",
    403: "This is not allowed: what a page of another site asks for changes nothing here.",
    405: "This resource does not take this method.",
    500: "The service failed at this request; its log says more.",
}
"""What to say where nothing more precise is known."""


class Problem(HTTPError):  # noqa: N818 - the name that RFC 9457 gives it
    """An error answer: `detail` tells a person what is wrong with this request and what would be right.

    `members` are further members of the document, for programs; `fields` further header fields; `page` is
    the web page that says it, in place of the document and of the page of errors.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        fields: tuple[Field, ...] = (),
        page: bytes | None = None,
        **members: object,
    ) -> None:
        super().__init__(status)
        self.detail = detail
        self.page = page
        self.fields = fields
        self.members: Mapping[str, object] = members

    def __str__(self) -> str:
        return f"{self.status_code}: {self.detail}"


def problem_of(status: int, error: BaseException | None, allow: tuple[str, ...]) -> Problem:
    """Make a problem of whatever ended a request; of an unexpected error only that there was one."""
    if isinstance(error, Problem):
        return error
    if status == _METHOD_NOT_ALLOWED:
        detail = f"{_DETAILS[status]} It takes {', '.join(allow)}."
        return Problem(status, detail, fields=(("Allow", ", ".join(allow)),), allowed=allow)
    return Problem(status, _DETAILS.get(status, "The request cannot be answered."))


def title(status: int) -> str:
    """Name a status as HTTP does."""
    return responses.get(status, "Unknown")


def document(status: int, detail: str, instance: str, members: Mapping[str, object]) -> bytes:
    """Write the problem document: the status's name is the title, the request's path the instance."""
    body = {"type": "about:blank", "title": title(status), "status": status, "detail": detail}
    return msgspec.json.encode({**body, "instance": instance, **members}) + b"\n"

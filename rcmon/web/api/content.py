"""The content of a request: its media type and coding, and its bytes as they were before they were coded."""

import json
import zlib
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from rcmon.errors import UNREADABLE
from rcmon.web.answers.problems import Problem
from rcmon.web.api.misfit import misfit

_JSON = "application/json"
_CODINGS = ("gzip", "identity")
_GZIP_WINDOW = 16 + zlib.MAX_WBITS

T = TypeVar("T")


def check_json(headers: Mapping[str, str]) -> None:
    """Hold that the content is said to be JSON in UTF-8, in a coding that is known; Problem 415 otherwise."""
    stated = headers.get("Content-Type")
    kind, _, parameters = (stated or "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if kind.strip().lower() != _JSON or charset not in ("", "charset=utf-8"):
        raise _unsupported("Content-Type", stated, "Accept", (_JSON,))
    if _coding(headers) not in _CODINGS:
        raise _unsupported("Content-Encoding", headers.get("Content-Encoding"), "Accept-Encoding", _CODINGS)


def _coding(headers: Mapping[str, str]) -> str:
    coding = headers.get("Content-Encoding", "").strip().lower()
    return {"": "identity", "x-gzip": "gzip"}.get(coding, coding)


def _unsupported(field: str, stated: str | None, answer: str, allowed: tuple[str, ...]) -> Problem:
    said = f"{field} is {stated[:200]!r}" if stated else f"There is no {field}"
    detail = f"{said}; allowed is {' or '.join(allowed)}."
    return Problem(415, detail, fields=((answer, ", ".join(allowed)),), allowed=allowed)


def content_of(headers: Mapping[str, str], body: bytes, most: int) -> bytes:
    """Undo the coding; never makes more than `most` bytes. Problem 413 where there are, 400 for no gzip."""
    if _coding(headers) == "identity":
        return body
    inflating = zlib.decompressobj(_GZIP_WINDOW)
    try:
        content = inflating.decompress(body, most + 1)
    except zlib.error as error:
        raise Problem(400, f"The body is no gzip stream, as Content-Encoding says: {error}.") from error
    if len(content) > most:
        raise Problem(413, f"The body inflates to more than the {most} bytes that this resource takes.")
    if not inflating.eof:
        raise Problem(400, "The body's gzip stream ends before its end.")
    if inflating.unused_data:
        raise Problem(400, "Something follows the body's gzip stream; one stream is allowed.")
    return content


def read_json(headers: Mapping[str, str], body: bytes, most: int, shape: type[T], what: str) -> T:
    """Read a body of one shape, at most `most` bytes of JSON; `what` names it in messages.

    Problem 400 where it is no JSON or names a key twice in one object, 413 where it is too large, 415 where
    it is said to be something else, 422 where it is of another shape: that names the member, its value and
    what is allowed.
    """
    check_json(headers)
    content = content_of(headers, body, most)
    try:
        said = msgspec.json.decode(content, type=shape)
        json.loads(content, object_pairs_hook=_check_once)  # msgspec takes the last one, and says nothing
    except msgspec.ValidationError as error:
        raise Problem(422, f"The body is no {what}: {misfit(error, content, shape)}.") from error
    except UNREADABLE as error:
        raise Problem(400, f"The body cannot be read as JSON: {error}.") from error
    return said


def _check_once(members: list[tuple[str, object]]) -> None:
    """Hold that an object names no key twice: which one is meant is not known. Problem 400 otherwise."""
    seen = set()
    for name, _ in members:
        if name in seen:
            raise Problem(400, f"The body names {name[:200]!r} twice in one object; once is allowed.")
        seen.add(name)

"""What a client accepts: content codings, exposition formats, whether a person reads (RFC 9110, 12).

A header is never an error: whatever in it cannot be read counts for nothing.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from rcmon.exposition.formats import Format
from rcmon.web.answers.problems import Problem

Coding = Literal["gzip", "identity"]

GZIP_FIRST: tuple[Coding, ...] = ("gzip", "identity")
IDENTITY_ONLY: tuple[Coding, ...] = ("identity",)

_QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_NAME = re.compile(rf"{_WORD}(?:/{_WORD})?")
_OPENMETRICS = "application/openmetrics-text"


class Range(Struct, frozen=True):
    """One element of an Accept or Accept-Encoding field: what it names, its parameters and its weight."""

    value: str
    parameters: dict[str, str]
    quality: float


def codings(accept_encoding: str | None) -> tuple[Coding, ...]:
    """Name the acceptable content codings, the preferred one first; none when even identity is refused."""
    if accept_encoding is None:
        return IDENTITY_ONLY
    if ";" not in accept_encoding and "*" not in accept_encoding:
        tokens = accept_encoding.lower().split(",")
        return GZIP_FIRST if any(token.strip() in ("gzip", "x-gzip") for token in tokens) else IDENTITY_ONLY
    weights = {element.value: element.quality for element in _ranges(accept_encoding)}
    others = weights.get("*")
    # a coding that is not named is refused, but identity is so only by name or by `*;q=0` (section 12.5.3)
    gzip = weights.get("gzip", weights.get("x-gzip", others or 0.0))
    identity = weights.get("identity", 0.001 if others is None else others)
    if gzip and identity:
        return GZIP_FIRST if gzip >= identity else ("identity", "gzip")
    return ("gzip",) if gzip else IDENTITY_ONLY if identity else ()


def preferred(accept_encoding: str | None) -> Coding:
    """Name the preferred content coding; Problem 406 where none is acceptable."""
    acceptable = codings(accept_encoding)
    if not acceptable:
        raise not_acceptable(accept_encoding)
    return acceptable[0]


def not_acceptable(accept_encoding: str | None) -> Problem:
    """Make the problem with an Accept-Encoding that refuses all there is: 406."""
    detail = f"Accept-Encoding {accept_encoding!r} refuses every content coding there is: gzip and identity."
    return Problem(406, detail, allowed=["gzip", "identity"])


def wants_gzip(accept_encoding: str | None) -> bool:
    """Tell whether gzip is preferred."""
    return codings(accept_encoding)[:1] == ("gzip",)


def exposition(accept: str | None) -> Format:
    """Choose the exposition format as client_golang does: text 0.0.4 unless OpenMetrics is preferred.

    Whatever else is asked for gets the text format rather than a 406, so that a scrape never fails on this.
    """
    if accept is None or accept == "*/*":
        return "text"
    ranges = list(_ranges(accept))
    text = _best(ranges, "text/plain", ("0.0.4",))
    openmetrics = _best(ranges, _OPENMETRICS, ("1.0.0",))
    return "openmetrics" if openmetrics[0] > 0 and openmetrics > text else "text"


def prefers_html(accept: str | None) -> bool:
    """Tell whether a web page is wanted more than JSON: a browser says so, a program does not."""
    if accept is None or "html" not in accept:
        return False
    ranges = list(_ranges(accept))
    page = _best(ranges, "text/html", ())
    others = (_best(ranges, name, ()) for name in ("application/problem+json", "application/json"))
    return page[0] > 0 and page > max(others)


def _ranges(field: str) -> Iterator[Range]:
    """Read the elements of a field; an element that cannot be read is left out."""
    for element in field.split(","):
        name, *pieces = element.split(";")
        value = name.strip().lower()
        parameters = dict(_parameters(pieces))
        quality = parameters.pop("q", "1")
        if _NAME.fullmatch(value) and _QUALITY.fullmatch(quality):
            yield Range(value, parameters, float(quality))


def _parameters(pieces: Sequence[str]) -> Iterator[tuple[str, str]]:
    for piece in pieces:
        name, _, value = piece.partition("=")
        yield name.strip().lower(), value.strip().strip('"')


def _best(ranges: Sequence[Range], media_type: str, versions: tuple[str, ...]) -> tuple[float, int, int]:
    """Weigh a media type: its quality by the most specific range, how specific that is, and its order.

    A range that names a version matches only where that is one of `versions`; other parameters
    (charset, escaping) do not decide.
    """
    major = media_type.partition("/")[0]
    best = (-1, 0.0, 0)
    for order, element in enumerate(ranges):
        version = element.parameters.get("version")
        if element.value == media_type:
            if version is not None and version not in versions:
                continue
            specific = 3 if version is not None else 2
        elif element.value == f"{major}/*":
            specific = 1
        elif element.value == "*/*":
            specific = 0
        else:
            continue
        if specific > best[0]:
            best = (specific, element.quality, -order)
    return best[1], best[0], best[2]

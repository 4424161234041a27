"""Text with code between backticks, as a page shows it."""

import re
from collections.abc import Iterator

from msgspec import Struct

from rcmon.web.about import BASE

_ASKABLE = re.compile(r"/api/(?!.*[A-Z]{2})\S*[^=]")
"""A resource without a part that the reader fills in: AGENT, SITE, ID, or what stands behind a last =."""


class Piece(Struct, frozen=True):
    """A piece of a text."""

    text: str
    code: bool = False
    link: str = ""


def marked(text: str) -> Iterator[Piece]:
    """Give the pieces of a text; a resource that can be asked for as it stands is a link."""
    for place, part in enumerate(text.split("`")):
        if not part:
            continue
        if place % 2 == 0:
            yield Piece(part)
        else:
            yield Piece(part, code=True, link=_link(part))


def _link(code: str) -> str:
    if not _ASKABLE.fullmatch(code):
        return ""
    return f"{BASE}{code}{'&' if '?' in code else '?'}pretty"

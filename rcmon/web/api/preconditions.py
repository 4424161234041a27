"""Conditions on a change: who makes it says which state they have seen (RFC 9110, RFC 6585)."""

import re
from collections.abc import Mapping

from msgspec import Struct

from rcmon.web.answers.problems import Problem

_TAG = re.compile(r'\s*(W/)?"([^"]*)"\s*(?:,|$)')
_CODED = "-gz"
"""What ends the ETag of the compressed form: the state is the same."""


class Precondition(Struct, frozen=True):
    """What a change depends on."""

    absent: bool
    """There must be nothing: `If-None-Match: *`."""
    tags: frozenset[str] = frozenset()
    """What is there must be in one of these states: `If-Match`."""

    def admits(self, held: str | None) -> bool:
        """Tell whether the state is one that it allows; None: there is nothing."""
        return held is None if self.absent else held in self.tags


def read_precondition(headers: Mapping[str, str]) -> Precondition | None:
    """Read it; None: there is none. Problem 400 where it is not understood."""
    match, none_match = headers.get("If-Match"), headers.get("If-None-Match")
    if match is not None and none_match is not None:
        raise Problem(400, "If-Match and If-None-Match are both given; allowed is one of them.")
    if none_match is not None:
        if none_match.strip() != "*":
            detail = f"If-None-Match is {none_match[:200]!r}; to create, * is allowed."
            raise Problem(400, detail)
        return Precondition(absent=True)
    if match is None:
        return None
    if match.strip() == "*":
        detail = "If-Match is *, which is whatever is there; allowed is the ETag of what you have seen."
        raise Problem(400, detail)
    return Precondition(absent=False, tags=_tags(match))


def _tags(field: str) -> frozenset[str]:
    """Read a list of ETags; a weak one never matches."""
    tags, place = [], 0
    while place < len(field):
        found = _TAG.match(field, place)
        if found is None:
            raise Problem(400, f"If-Match is {field[:200]!r}; allowed are ETags in quotation marks.")
        if not found[1]:
            tags.append(found[2].removesuffix(_CODED))
        place = found.end()
    return frozenset(tags)


def required(given: Precondition | None, what: str) -> Precondition:
    """Hold that there is one; Problem 428 otherwise."""
    if given is None:
        raise Problem(428, f"Say which state you have seen: {what}.")
    return given

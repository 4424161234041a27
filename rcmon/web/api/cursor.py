"""Where a long list goes on: an opaque text that stays right while the list changes."""

import base64
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from rcmon.errors import UNREADABLE
from rcmon.web.answers.problems import Problem

Cursor = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_=-]{0,2000}$(?!\n)", description="what a list's `next` holds")
]
Place = tuple[str, str]
"""What a list is sorted by: an agent and a site."""
T = TypeVar("T")


class Position(Struct, frozen=True, array_like=True):
    """So many items of one place, and all before it, were given."""

    place: Place = ("", "")
    given: int = 0

    def written(self) -> str:
        """Write it as a cursor."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode()


def position(cursor: str) -> Position:
    """Read a cursor; Problem 400 where it is none."""
    if not cursor:
        return Position()
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=Position)
    except UNREADABLE:
        found = None
    if found is None or found.given < 0:
        detail = f"Parameter 'cursor' has the value {cursor[:200]!r}; allowed is what a list's `next` holds."
        raise Problem(400, detail, parameter="cursor", value=cursor[:200]) from None
    return found


def cut(
    items: Iterable[tuple[Place, Sequence[T]]], begin: Position, limit: int
) -> tuple[list[T], Position | None]:
    """Take the items behind a position, at most `limit`; and tell where it goes on, None: it does not.

    The items come in groups, sorted by place; groups of one place follow each other.
    """
    taken: list[T] = []
    place, seen = begin.place, 0
    for at, group in items:
        if at < begin.place:
            continue
        if at != place:
            place, seen = at, 0
        skip = max(0, begin.given - seen) if at == begin.place else 0
        for item in islice(group, skip, None):
            if len(taken) == limit:
                return taken, Position(place, seen + skip)
            taken.append(item)
            skip += 1
        seen += len(group)
    return taken, None

"""Bodies of requests: how large one says it is, and how much of them one worker holds at a time."""

import math
import re
from collections import Counter
from collections.abc import Mapping

from rcmon.access.identity import Identity
from rcmon.access.names.dn import Dn
from rcmon.telemetry.own import BODIES_HELD, BODIES_REFUSED
from rcmon.telemetry.tally import Tally
from rcmon.web.answers.problems import Problem

_DIGITS = re.compile(r"[0-9]+")
_LATER = (("Retry-After", "1"),)
LARGEST = 4 << 20
"""Bytes that any resource may take: what is held at most must have room for one."""

Person = tuple[Dn, Dn]
"""Issuer and subject."""


def announced(headers: Mapping[str, str]) -> float:
    """Tell how many bytes follow the head, as it says; infinite: in chunks, it says not.

    0 also for what no parser takes: Tornado answers 400 to it before it reads any of it.
    """
    if headers.get("Transfer-Encoding") is not None:
        return math.inf
    lengths = set(re.split(r",[ \t]*", headers.get("Content-Length") or "0"))
    length = lengths.pop()
    return 0 if lengths or not _DIGITS.fullmatch(length) else float(length)


class Bodies:
    """The bytes of bodies that are under way or in a handler's hands; `total` and `per_identity` bound them.

    A body counts as large as it may become from its head on, so that nobody's promise is more than there is.
    """

    def __init__(self, total: int, per_identity: int, tally: Tally) -> None:
        self._total, self._per_identity, self._tally = total, per_identity, tally
        self._held = 0
        self._persons: Counter[Person] = Counter()

    @property
    def held(self) -> int:
        """Bytes that are promised now."""
        return self._held

    def take(self, identity: Identity, size: int) -> "BodyRoom":
        """Make room for a body; Problem 429 where that identity has too many, 503 where all have."""
        person = identity.issuer, identity.subject
        if self._persons[person] + size > self._per_identity:
            self.refused("identity")
            detail = f"{identity.subject} has {self._persons[person]} bytes under way, and no room for more."
            raise Problem(429, detail, fields=_LATER)
        if self._held + size > self._total:
            self.refused("total")
            raise Problem(503, "Too many bodies are under way; try again in a moment.", fields=_LATER)
        self._held += size
        self._persons[person] += size
        self._tally.change(BODIES_HELD, size)
        return BodyRoom(self, person, size)

    def refused(self, reason: str) -> None:
        """Count a body that was refused at its head, or as soon as it became too large."""
        self._tally.count(BODIES_REFUSED, reason)

    def give_back(self, person: Person, size: int) -> None:
        """Take note that a body is gone."""
        self._held -= size
        self._persons[person] -= size
        self._tally.change(BODIES_HELD, -size)
        if not self._persons[person]:
            del self._persons[person]


class BodyRoom:
    """Room for one body."""

    def __init__(self, bodies: Bodies, person: Person, size: int) -> None:
        self._bodies, self._person, self._size = bodies, person, size

    def release(self) -> None:
        """Give it back; once is enough."""
        size, self._size = self._size, 0
        if size:
            self._bodies.give_back(self._person, size)

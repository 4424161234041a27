"""How many streams there may be, and the count of those that are."""

from collections import Counter

from msgspec import Struct

from rcmon.access.identity import Identity
from rcmon.access.names.dn import Dn
from rcmon.telemetry.own import STREAMS, STREAMS_ENDED, STREAMS_REFUSED
from rcmon.telemetry.tally import Tally
from rcmon.web.answers.problems import Problem

_LATER = (("Retry-After", "30"),)


class StreamLimits(Struct, frozen=True):
    """How many streams one worker keeps open."""

    total: int = 1000
    per_identity: int = 100


class StreamRoom:
    """Counts one worker's streams by identity. `tally`: None where nobody counts."""

    def __init__(self, limits: StreamLimits, tally: Tally | None) -> None:
        self._limits, self._tally = limits, tally
        self._persons: Counter[tuple[Dn, Dn]] = Counter()
        self._open = 0

    def take(self, identity: Identity) -> None:
        """Count a stream in; Problem 429 where that identity has too many, 503 where all have."""
        person = identity.issuer, identity.subject
        if self._persons[person] >= self._limits.per_identity:
            self._refused("identity")
            detail = (
                f"{identity.subject} has {self._persons[person]} event streams open, and may not have more."
            )
            raise Problem(429, detail, fields=_LATER)
        if self._open >= self._limits.total:
            self._refused("total")
            raise Problem(503, f"{self._open} event streams are open: try again later.", fields=_LATER)
        self._open += 1
        self._persons[person] += 1
        if self._tally is not None:
            self._tally.change(STREAMS, 1)

    def give_back(self, identity: Identity, reason: str) -> None:
        """Count a stream out; `reason` as STREAMS_ENDED has them."""
        person = identity.issuer, identity.subject
        self._open -= 1
        self._persons[person] -= 1
        if not self._persons[person]:
            del self._persons[person]
        if self._tally is not None:
            self._tally.change(STREAMS, -1)
            self._tally.count(STREAMS_ENDED, reason)

    def _refused(self, reason: str) -> None:
        if self._tally is not None:
            self._tally.count(STREAMS_REFUSED, reason)

"""How many requests an identity may ask of one worker in a second: token buckets that cost a subtraction."""

import math
import time
from collections.abc import Callable

from rcmon.access.identity import Identity
from rcmon.access.names.dn import Dn

BURST = 5
"""Seconds' worth of requests that may come at once."""


class Bucket:
    """The requests that one identity still may ask for, whichever of its connections they come on.

    The clock is looked at only when it is empty: it is then filled by what the time since the last filling
    gives. So up to two bursts may come in one, and no request costs more than a subtraction.
    """

    __slots__ = ("_burst", "_clock", "_filled", "_rate", "left", "users")

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self._rate, self._clock = rate, clock
        self._burst = max(1.0, rate * BURST)
        self.left = self._burst if rate else math.inf
        """Requests; whoever answers one that is at hand may take it off here."""
        self.users = 0
        """Connections that are open."""
        self._filled = clock()

    def take(self) -> bool:
        """Take one off; false where there is none."""
        if self.left < 1.0:
            now = self._clock()
            self.left += min(self._burst, (now - self._filled) * self._rate)
            self._filled = now
            if self.left < 1.0:
                return False
        self.left -= 1.0
        return True

    def is_full(self) -> bool:
        """Tell whether it would be no other if it were made now."""
        return self.left + (self._clock() - self._filled) * self._rate >= self._burst or not self._rate


class Buckets:
    """One worker's buckets, one for each identity; `rate` in requests a second, 0: as many as come."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self._clock = rate, clock
        self._buckets: dict[tuple[Dn, Dn], Bucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def enters(self, identity: Identity) -> Bucket:
        """Give the bucket of a connection's identity; `leaves` must follow."""
        key = identity.issuer, identity.subject
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(self.rate, self._clock)
        bucket.users += 1
        return bucket

    def leaves(self, bucket: Bucket) -> None:
        """Take note that a connection ended. Its bucket stays: a new connection is no new right."""
        bucket.users -= 1

    def tick(self) -> None:
        """Forget the buckets that nobody uses and that are full again."""
        for key, bucket in list(self._buckets.items()):
            if not bucket.users and bucket.is_full():
                del self._buckets[key]

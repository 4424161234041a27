"""Answers that change all the time, yet are not made anew for every request."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

SHORT_WHILE = 0.1
"""Seconds that an answer is kept: less than anybody can tell, more than a busy client leaves between two."""


class Cached(Generic[T]):
    """Keeps what `make` made for a short while, and not a moment longer than its key holds."""

    __slots__ = ("_clock", "_key", "_made", "_make", "_until")

    def __init__(self, make: Callable[[], T], clock: Callable[[], float] = time.monotonic) -> None:
        self._make, self._clock = make, clock
        self._made: T | None = None
        self._key: object = None
        self._until = float("-inf")

    def get(self, key: object) -> T:
        """Give what was made; made anew where it is too old or was made for another key."""
        now = self._clock()
        if now >= self._until or key != self._key or self._made is None:
            self._made, self._key, self._until = self._make(), key, now + SHORT_WHILE
        return self._made

"""Calm: long work waits, piece by piece, while something urgent is under way in its process."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST_REST = 0.25
"""Seconds that long work waits for what is urgent, which takes some ten milliseconds where nothing hangs."""


class Calm:
    """Whether nothing urgent is under way. Python runs one thread at a time, and hands over unwillingly."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._urgent, self._since = 0, 0.0
        self._is_calm = threading.Event()
        self._is_calm.set()

    @contextmanager
    def disturbed(self) -> Iterator[None]:
        """Do something urgent within."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def rest(self) -> None:
        """Wait until it is calm; for threads, between pieces of at most a millisecond."""
        if not self._is_calm.is_set():
            self._is_calm.wait(max(0.0, self._since + LONGEST_REST - time.monotonic()))

    def _count(self, more: int) -> None:
        with self._turn:
            if not self._urgent:
                self._since = time.monotonic()
            self._urgent += more
            (self._is_calm.clear if self._urgent else self._is_calm.set)()

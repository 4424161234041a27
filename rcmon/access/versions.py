"""Which content of each kind of files a process has in use, and had, for others to compare."""

from collections import deque
from collections.abc import Hashable, Mapping, Sequence

KINDS = ("tls", "roles", "authorities", "signing_policy", "crl", "voms")
"""In the order of the marks."""
_REMEMBERED = 1000
"""Versions of each kind."""
_BITS = (1 << 52) - 1
"""What a float64 holds exactly, less one bit."""


class Versions:
    """The versions of one process and, as it is forked, of its parents before it.

    A version is a hash, the same in all processes of one service, which are forks of one interpreter.
    """

    def __init__(self) -> None:
        self._held: dict[str, deque[int]] = {kind: deque(maxlen=_REMEMBERED) for kind in KINDS}

    def note(self, in_use: Mapping[str, Hashable]) -> None:
        """Note what is in use of each kind: something that is equal where the content is."""
        for kind, content in in_use.items():
            version = (hash(content) & _BITS) + 1
            held = self._held[kind]
            if not held or held[-1] != version:
                held.append(version)

    def marks(self) -> list[float]:
        """Give the version in use of each kind, never 0, for others to see."""
        return [float(self._held[kind][-1]) for kind in KINDS]

    def never_held(self, kind: str, marks: Sequence[float]) -> bool:
        """Tell whether another's version of a kind was never in use here: it may be newer than any that was.

        `marks` are the other's; one that is 0 is none.
        """
        mark = int(marks[KINDS.index(kind)])
        return mark != 0 and mark not in self._held[kind]

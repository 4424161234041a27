"""What a kind of finding is."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from rcmon.model import Finding, Snapshot


class FindingKind(Struct, frozen=True):
    """One kind of what is found in a whole snapshot."""

    name: str
    """A metric label."""
    meaning: str
    """In one sentence."""
    find: Callable[[Snapshot], Iterator[Finding]]

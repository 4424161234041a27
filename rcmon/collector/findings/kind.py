"""What a kind of finding is, and what it is found in."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from rcmon.model import Finding, Meaning, Snapshot, Upstream

FEWEST = 10
"""Jobs below which nothing is judged by them."""


class Grounds(Struct, frozen=True):
    """What a kind of finding looks at: all that it may depend on."""

    snapshot: Snapshot
    """As merged in this cycle, without findings."""
    previous: Snapshot | None
    """The one before; None: there is none, or it is too old to be compared with."""
    upstream: Upstream
    """What is known beside the agents' databases."""

    @property
    def now(self) -> float:
        """Begin of the cycle, seconds since the epoch."""
        return self.snapshot.started


class Unjudged(Struct, frozen=True):
    """What may or may not be so: too little is known, so that a finding is neither raised nor cleared."""

    kind: str
    agent: str | None
    site: str | None = None
    task: str | None = None
    source: str | None = None
    part: str | None = None


class FindingKind(Struct, frozen=True):
    """One kind of what is found in a whole snapshot."""

    name: str
    """A metric label."""
    meaning: Meaning
    find: Callable[[Grounds], Iterator[Finding | Unjudged]]

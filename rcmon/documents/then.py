"""What an answer about a past moment says of itself."""

from collections.abc import Sequence

from msgspec import Struct


class Then(Struct, frozen=True):
    """Of which moment an answer is, and what is missing in it: null there means that it was not kept."""

    at: str | None
    """The time that was asked for; the answer is that of the document's `timestamp`, at it or before."""
    resolution: int
    """Seconds between the moments of which it is known what held; 0: it is of every moment."""
    complete: bool
    """Whether a later cycle has ended; else the answer is the newest, and the one to this time may come."""
    changed: str | None
    """The newest change that is in it: nothing later is known to have been seen by then."""
    stale_sources: Sequence[str]
    """Sources of which earlier data were shown then, as far as the journal tells."""
    not_kept: Sequence[str]
    """What of the answer history does not tell, in words."""

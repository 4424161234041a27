"""Who was there: a source that gives much less than before is not believed at once."""

from collections.abc import Collection

from rcmon.errors import SourceError

LOST = 0.2
"""Share of the names that may be gone from one poll to the next; more than that, and the poll is refused."""
FEW = 10
"""With fewer names than that the share means nothing."""
PATIENCE = 10
"""Polls in a row that are refused; the next one is believed, since what lasts so long is meant."""
_NAMED = 5


class Roll:
    """The names that a source gave last, as `what` in messages; they are not known before its first poll."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._known: frozenset[str] = frozenset()
        self._refused = 0

    def call(self, names: Collection[str]) -> None:
        """Compare with those of the last good poll, and take them. Raises SourceError."""
        known = len(self._known)
        gone = sorted(self._known.difference(names))
        if known >= FEW and len(gone) > LOST * known and self._refused < PATIENCE:
            self._refused += 1
            more = f", and {len(gone) - _NAMED} more" if len(gone) > _NAMED else ""
            raise SourceError(
                f"{len(gone)} of {known} {self._what} are gone at once ({', '.join(gone[:_NAMED])}{more});"
                f" believed when {PATIENCE} polls in a row have said so, this is number {self._refused}"
            )
        self._known, self._refused = frozenset(names), 0

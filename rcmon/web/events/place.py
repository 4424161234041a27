"""How far a stream has come: what `id:` holds and `Last-Event-ID` brings back."""

import re

from msgspec import Struct

_PLACE = re.compile(r"([0-9]{1,15})\.([0-9]{1,15})(?:\.([0-9]{1,15}))?")


class EventPlace(Struct, frozen=True):
    """All up to this was told. It means the same to every worker and replica of one store."""

    snapshot: int
    """Number of the snapshot."""
    started: int
    """When its cycle began, milliseconds since the epoch: a store that was made again counts anew."""
    journal: int | None = None
    """The journal's last entry; None: whoever made this knew of none."""

    def written(self) -> str:
        """Write it as an event's id."""
        end = "" if self.journal is None else f".{self.journal}"
        return f"{self.snapshot}.{self.started}{end}"


def place_of(number: int, started: float, journal: int | None = None) -> EventPlace:
    """Make the place behind a snapshot; `started` in seconds since the epoch."""
    return EventPlace(number, round(started * 1000), journal)


def read_place(text: str) -> EventPlace | None:
    """Read an event's id; None where it is none of ours."""
    match = _PLACE.fullmatch(text)
    if match is None:
        return None
    return EventPlace(int(match[1]), int(match[2]), None if match[3] is None else int(match[3]))

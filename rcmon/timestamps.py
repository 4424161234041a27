"""Times as they are written: ISO 8601 with zone. The one place both sides take them from."""

from datetime import UTC, datetime
from math import isfinite


def iso(time: float | None) -> str | None:
    """Write seconds since the epoch as ISO 8601 in UTC, e.g. `2026-01-01T12:00:00Z`.

    Whole seconds are written without a fraction, others to the millisecond. What is not known (None) or
    is no time (not finite, outside the years 1 to 9999) is None: a bad number in an agent's database
    must not lose a cycle.
    """
    if time is None:
        return None
    try:
        moment = datetime.fromtimestamp(time, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    timespec = "milliseconds" if moment.microsecond else "seconds"
    return moment.replace(tzinfo=None).isoformat(timespec=timespec) + "Z"


def seconds(duration: float | None) -> float | None:
    """Round a duration to the millisecond, as it is written; None: not known."""
    return None if duration is None else round(duration, 3)


def epoch(time: float | None) -> int | None:
    """Write seconds since the epoch as WMCore does: whole seconds, None for what is not known or finite."""
    return int(time) if time is not None and isfinite(time) else None

"""Times as they are written: ISO 8601 with zone. The one place both sides take them from."""

import re
from datetime import datetime, timedelta
from math import isfinite

_BEGIN = datetime(1970, 1, 1)  # noqa: DTZ001 - in UTC, and written without its zone
_EPOCH = re.compile(r"[0-9]{1,11}(\.[0-9]{1,9})?")


def iso(time: float | None) -> str | None:
    """Write seconds since the epoch as ISO 8601 in UTC, e.g. `2026-01-01T12:00:00Z`.

    Whole seconds are written without a fraction, others to the millisecond, as `milliseconds` has it. What
    is not known (None) or is no time (not finite, outside the years 1 to 9999) is None: a bad number in an
    agent's database must not lose a cycle.
    """
    if time is None:
        return None
    try:
        moment = _BEGIN + timedelta(milliseconds=milliseconds(time))
    except (OverflowError, ValueError):
        return None
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds") + "Z"


def milliseconds(time: float) -> int:
    """Round up to the millisecond: nothing is told before it was, and who asks by what is told finds it.

    What was rounded stays.
    """
    nearest = round(time * 1000)
    return nearest if nearest / 1000 >= time else nearest + 1


def before(told: float) -> float:
    """Give the latest time that is told as an earlier one."""
    return (milliseconds(told) - 1) / 1000


def moment(text: str) -> float | None:
    """Read a time with its zone as ISO 8601 has it, or seconds since the epoch; None where it is neither.

    A query's `+` comes as a space.
    """
    try:
        return float(text) if _EPOCH.fullmatch(text) else _zoned(text.replace(" ", "+"))
    except (ValueError, OverflowError):
        return None


def _zoned(text: str) -> float | None:
    read = datetime.fromisoformat(text)
    return None if read.tzinfo is None else read.timestamp()


def seconds(duration: float | None) -> float | None:
    """Round a duration to the millisecond, as it is written; None: not known."""
    return None if duration is None else round(duration, 3)


def epoch(time: float | None) -> int | None:
    """Write seconds since the epoch as WMCore does: whole seconds, None for what is not known or finite."""
    return int(time) if time is not None and isfinite(time) else None

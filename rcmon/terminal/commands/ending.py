"""How long what is set is to last."""

import re
from datetime import UTC, datetime, timedelta

import click

_SPAN = re.compile(r"([0-9]{1,6})([mhd])")
_UNITS = {"m": 1440, "h": 24, "d": 1}
"""So many of each are a day."""
_MOST_DAYS = 3650
"""The service allows less, and says how much."""


def end_of(
    lasting: str | None, until: str | None, *, latched: bool, toggle: bool, now: str | None = None
) -> tuple[str, str | None]:
    """Give the mode and the end, as the service takes them; no end: its own, a day.

    Raises click.UsageError for several at once, and for a length that is none.
    """
    if sum((lasting is not None, until is not None, latched, toggle)) > 1:
        raise click.UsageError("--for, --until, --latched and --toggle exclude each other.")
    if latched or toggle:
        return ("latched" if latched else "toggle"), None
    return "until", until if lasting is None else _after(lasting, now)


def _after(lasting: str, now: str | None) -> str:
    found = _SPAN.fullmatch(lasting)
    days = int(found[1]) / _UNITS[found[2]] if found else _MOST_DAYS + 1
    if found is None or days > _MOST_DAYS:
        raise click.BadParameter(
            f"{lasting!r} is no length of time; right is such as 90m, 12h or 3d.", param_hint="--for"
        )
    begin = datetime.now(UTC) if now is None else datetime.fromisoformat(now)
    return (begin + timedelta(days=days)).isoformat(timespec="seconds")

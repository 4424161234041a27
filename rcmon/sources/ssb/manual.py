"""A person's word in the board, and when it was said."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from rcmon.model import Manual
from rcmon.sources.plausible import DocumentValues, Whose

_WRITTEN = ("%Y-%b-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S")
"""As the board's own forms write a time, in UTC."""


def manual_of(value: Any, values: DocumentValues, whose: Whose) -> Manual | None:
    """Read `manual_prod`: an object, or nothing but a status; None where nobody said anything."""
    if value is None or value in ("", {}, []):
        return None
    if not isinstance(value, dict):
        status = values.label("manual_prod", value, whose)
        return None if status is None else Manual(status, None, None, None, None)
    return Manual(
        values.label("manual_prod.status", value.get("status"), whose),
        values.label("manual_prod.mode", value.get("mode"), whose),
        values.number("manual_prod.when", _seconds(value.get("when")), whose),
        values.shown("manual_prod.who", value.get("who"), whose),
        values.shown("manual_prod.why", value.get("why"), whose),
    )


def _seconds(value: Any) -> Any:
    """Make a time that is written out seconds since the epoch; whatever else it is stays."""
    if not isinstance(value, str):
        return value
    with suppress(ValueError, OverflowError):
        return _in_utc(datetime.fromisoformat(value))
    for form in _WRITTEN:
        with suppress(ValueError, OverflowError):
            return _in_utc(datetime.strptime(value, form).replace(tzinfo=UTC))
    return value or None


def _in_utc(time: datetime) -> float:
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()

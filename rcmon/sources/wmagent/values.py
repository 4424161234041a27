"""Values as drivers give them, made what the model needs."""

from typing import Any

from rcmon.errors import SourceError


def whole(value: Any) -> int | None:
    """Read a whole number, or nothing. Raises SourceError for what is neither."""
    if value is None or type(value) is int:
        return value
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise SourceError(f"the database holds {str(value)[:40]!r} where a whole number belongs") from error


def number(value: Any) -> float | None:
    """Read a number, or nothing. Raises SourceError for what is neither."""
    if value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise SourceError(f"the database holds {str(value)[:40]!r} where a number belongs") from error


def words(value: Any) -> str | None:
    """Read a text, or nothing; Oracle takes an empty text for nothing, and so does this."""
    return None if value is None or value == "" else str(value)


def numbers(value: Any) -> tuple[int, ...]:
    """Read a set that SQL has written with commas."""
    return tuple(map(int, value.split(","))) if value else ()

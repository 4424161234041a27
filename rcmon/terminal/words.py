"""Text as a terminal may have it: names, numbers, times. Names are chosen by others, who may mean harm."""

import re
import unicodedata
from datetime import UTC, datetime

from rcmon.timestamps import moment

UNKNOWN = "?"
"""What stands for a value that is not known: never 0."""
NOTHING = "-"

_HARMLESS = re.compile(r"[ -~]*")
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
"""Categories that no glyph shows: controls, what turns the direction of writing, halves of characters."""


def clean(text: str) -> str:
    r"""Write what a terminal would obey, or not show, as `\x1b`, `\u202e` and the like."""
    if _HARMLESS.fullmatch(text):
        return text
    return "".join(_escaped(one) if unicodedata.category(one) in _HIDDEN else one for one in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode()


def json_safe(text: str) -> str:
    r"""Write the same in a JSON text, as `\u001b`: it stays the same JSON."""
    if _HARMLESS.fullmatch(text):
        return text
    return "".join(
        _json_escaped(one) if one != "\n" and unicodedata.category(one) in _HIDDEN else one for one in text
    )


def _json_escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))


def lasting(seconds: float | None) -> str:
    """Write a duration in its two greatest units: `12 s`, `3 h 5 min`, `9 d 2 h`."""
    if seconds is None:
        return UNKNOWN
    whole = max(0, int(seconds))
    for unit, size, lesser, part in (("d", 86_400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {unit}" + (f" {rest} {lesser}" if rest else "")
    return f"{whole} s"


def time_of(text: str | None) -> str:
    """Write a time that the service told, to the second, in UTC."""
    seconds = None if text is None else moment(text)
    if seconds is None:
        return UNKNOWN
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def since(text: str | None, now: str | None) -> float | None:
    """Tell how many seconds lie between two times that the service told; None: one of them is not known."""
    begin, end = (None if one is None else moment(one) for one in (text, now))
    return None if begin is None or end is None else end - begin


def plural(count: int, noun: str) -> str:
    """Count things."""
    return f"{count} {noun}" if count == 1 else f"{count} {many(noun)}"


def many(noun: str) -> str:
    """Write a noun for several."""
    return noun[:-1] + "ies" if noun.endswith("y") else noun + "s"

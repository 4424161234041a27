"""From an option's text to its value: each converter raises ValueError that says what would be right."""

import re
import unicodedata
from collections.abc import Callable

from msgspec import Struct

Value = str | int | float | bool | None

_NAME = re.compile(r"[!-~]{1,200}")
_HOST_NAME = re.compile(r"\*|(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?")


def any_text(value: str) -> str:
    """Take any text, also the empty one."""
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in value):
        raise ValueError("a text in UTF-8 without control characters")
    return value


def text(value: str) -> str:
    """Take any text but the empty one."""
    if not value.strip():
        raise ValueError("a text that is not empty")
    return any_text(value)


def name(value: str) -> str:
    """Take one word, such as names a machine."""
    if not _NAME.fullmatch(value):
        raise ValueError("at most 200 letters, digits and signs of ASCII without a space")
    return value


def whole(low: int, high: int) -> Callable[[str], int]:
    """Take a whole number from low to high."""

    def convert(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return number

    return convert


class Number(Struct, frozen=True):
    """Take a number from low to high."""

    low: float
    high: float
    what: str
    """What it is a number of, for messages."""
    unit: str
    """The same in one word, which stands for it in the help."""

    def __call__(self, value: str) -> float:
        """Take it; raises ValueError for any other, and for what is no number."""
        try:
            given = float(value)
        except ValueError:
            given = self.low - 1
        if not self.low <= given <= self.high:  # not-a-number fails here too
            raise ValueError(f"{self.what} from {self.low:g} to {self.high:g}")
        return given


def seconds(low: float, high: float) -> Number:
    """Take a number of seconds from low to high."""
    return Number(low, high, "seconds", "SECONDS")


class OneOf(Struct, frozen=True):
    """Take one of the words."""

    words: tuple[str, ...]

    def __call__(self, value: str) -> str:
        """Take it; raises ValueError for any other."""
        if value not in self.words:
            raise ValueError("one of " + ", ".join(self.words))
        return value


def one_of(*words: str) -> OneOf:
    """Take one of the words."""
    return OneOf(words)


_ADDRESS = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
_PORTS = range(1, 65536)


def addresses(value: str) -> str:
    """Take addresses with commas between them, each a host's name or number and a port."""
    for each in value.split(","):
        match = _ADDRESS.fullmatch(each.strip())
        if match is None or int(match[1]) not in _PORTS:
            raise ValueError("HOST:PORT, several with commas between them, such as a.example.org:5000")
    return value


def boolean(value: str) -> bool:
    """Take a truth value."""
    words = {"true": True, "yes": True, "on": True, "1": True}
    words |= {"false": False, "no": False, "off": False, "0": False}
    if value.lower() not in words:
        raise ValueError("true or false")
    return words[value.lower()]


def host_names(value: str) -> str:
    """Take names of hosts with commas between, or none."""
    names = [name.strip() for name in value.split(",")] if value.strip() else []
    if not all(map(_HOST_NAME.fullmatch, names)):
        raise ValueError("names of hosts with commas between, such as rcmon.example.org,*.cern.ch")
    return ",".join(names)


DAY = 86400.0

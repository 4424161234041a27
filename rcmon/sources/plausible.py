"""Values as drivers and documents give them, made what the model needs: exact, or unknown with a finding."""

import math
import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from msgspec import Struct

from rcmon.errors import SourceError
from rcmon.sources.noting import Noting

SKEW = 300.0
"""Seconds that an agent's clock may be ahead of ours."""
BIRTH = 946_684_800
"""Begin of the year 2000: no agent's time is earlier; a time in other units than seconds is much later."""

_DIGITS = re.compile(r"[+-]?[0-9]{1,30}")
_DECIMALS = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_SURROGATES = re.compile("[\ud800-\udfff]")
"""What stands for octets that are no UTF-8."""
_SHOWN = 60
"""Most characters of a value in a message."""

Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")
Row = TypeVar("Row")


class Column(Struct, frozen=True):
    """What a column can hold; a value outside is not known, and is a finding.

    `low` and `high` bound a number, or a text's length in characters. Where `ahead`, the column holds times
    in seconds since the epoch, of which 0 means none, and `high` counts from the time of the poll.
    """

    finding: str
    right: str
    low: float
    high: float
    ahead: bool = False

    def holds(self, value: float, now: float) -> bool:
        """Tell whether a number can be true at a poll at the time `now`; NaN never is."""
        return self.low <= value <= (now + self.high if self.ahead else self.high)


class UnreadableRowError(SourceError):
    """A row without which nothing can be said of what it tells; the row is left out."""


class Whose(Struct, frozen=True):
    """What a value is of, for a finding."""

    site: str | None = None
    task: str | None = None
    words: str = ""
    """Begins the finding's message."""
    count: int = 1
    """How many rows have the value."""


NOBODY = Whose()


class Values:
    """Reads the values of one poll, at the time `now`, by a table of columns; notes what cannot be true."""

    unreadable = "row_unreadable"
    """The kind of finding for rows of which nothing can be made."""

    def __init__(self, findings: Noting, now: float, columns: Mapping[str, Column]) -> None:
        self.findings = findings
        self.now = now
        self.columns = columns

    def table(
        self, table: str, rows: Iterable[Row], make: Callable[[Row], tuple[Key, Made]]
    ) -> dict[Key, Made]:
        """Make something of each row, by its key; rows of which nothing can be made are one finding."""
        made: dict[Key, Made] = {}
        lost, first = 0, ""
        for row in rows:
            try:
                key, value = make(row)
            except UnreadableRowError as error:
                lost, first = lost + 1, first or str(error)
                continue
            if key in made:
                lost, first = lost + 1, first or f"{quoted(key)} stands twice"
            made.setdefault(key, value)
        message = f"rows of {table} that cannot be read, the first because {first}"
        self.findings.note(self.unreadable, message, count=lost)
        return made

    def key(self, name: str, value: Any) -> int:
        """Read a row's own number. Raises UnreadableRowError."""
        key = None if isinstance(value, str | bytes) else whole(value)
        if key is None or not self.columns[name].holds(key, self.now):
            raise UnreadableRowError(_wrong(name, value, self.columns[name]))
        return key

    def name(self, name: str, value: Any) -> str:
        """Read a name that something is known by. Raises UnreadableRowError."""
        read = self._text(value)
        if read is None or not _is_name(read, self.columns[name]):
            raise UnreadableRowError(_wrong(name, value, self.columns[name]))
        return read

    def label(self, name: str, value: Any, whose: Whose = NOBODY) -> str | None:
        """Read a name for something, or nothing."""
        if text(value) is None:
            return None
        read = self._text(value)
        if read is not None and _is_name(read, self.columns[name]):
            return read
        self._note(name, value, whose)
        return None

    def shown(self, name: str, value: Any, whose: Whose = NOBODY) -> str | None:
        """Read a text that is only shown, or nothing: what is no UTF-8 is replaced, excess is cut."""
        if text(value) is None:
            return None
        given = self._text(value)
        if given is None:
            self._note(name, value, whose)
            return None
        read = _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", given)[: int(self.columns[name].high)]
        if read != given:
            self._note(name, value, whose)
        return read

    def whole(self, name: str, value: Any, whose: Whose = NOBODY) -> int | None:
        """Read a whole number that can be true, or nothing."""
        read = plausible(self.columns[name], value, self.now)
        if read is None and value is not None:
            self._note(name, value, whose)
        return read

    def number(self, name: str, value: Any, whose: Whose = NOBODY) -> float | None:
        """Read a number that can be true, or nothing, as which a time of 0 counts too."""
        column, read = self.columns[name], _number(value)
        if value is None or (column.ahead and read == 0):
            return None
        if read is None or not column.holds(read, self.now):
            self._note(name, value, whose)
            return None
        return read

    @staticmethod
    def _text(value: Any) -> str | None:
        """Take a value as a text; None: it is none."""
        return text(value)

    def _note(self, name: str, value: Any, whose: Whose) -> None:
        """Note a value that cannot be true."""
        message = f"{whose.words}{_wrong(name, value, self.columns[name])}"
        self.findings.note(
            self.columns[name].finding, message, count=whose.count, site=whose.site, task=whose.task
        )


class DocumentValues(Values):
    """Reads the values of a JSON document, in which only a text is a text."""

    @staticmethod
    def _text(value: Any) -> str | None:
        return value if isinstance(value, str) else None


def plausible(column: Column, value: Any, now: float) -> int | None:
    """Read a whole number of a column without a word: nothing where it cannot be true."""
    read = whole(value)
    return read if read is not None and column.holds(read, now) else None


def whole(value: Any) -> int | None:
    """Read what is a whole number, exactly, however it is written; nothing where it is none."""
    if type(value) is int:
        return value
    if isinstance(value, str):
        return int(value) if _DIGITS.fullmatch(value) else None
    if isinstance(value, float | Decimal) and math.isfinite(value):
        exact = int(value) if -(2**64) < value < 2**64 else None
        return exact if exact == value else None
    return None


def quoted(value: Any) -> str:
    """Show a value in a message: in one line, not too long."""
    if value is None:
        return "not set"
    shown = repr(value) if isinstance(value, str | bytes) else str(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        return float(value) if _DECIMALS.fullmatch(value) else None
    if type(value) is int or isinstance(value, float | Decimal):
        try:
            return float(value)
        except OverflowError:
            return None
    return None


def text(value: Any) -> str | None:
    """Read a text, or nothing, which Oracle takes an empty one for; octets that are no UTF-8 stay escaped."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "surrogateescape") or None
    return None if value is None or value == "" else str(value)


def _is_name(name: str, column: Column) -> bool:
    return name.isprintable() and column.low <= len(name) <= column.high


def _wrong(name: str, value: Any, column: Column) -> str:
    return f"{name} is {quoted(value)}; right is {column.right}"

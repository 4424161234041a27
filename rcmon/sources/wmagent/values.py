"""Values as drivers give them, made what the model needs: exact, or unknown with a finding."""

import math
import re
from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal
from typing import Any, TypeVar

from msgspec import Struct

from rcmon.errors import SourceError
from rcmon.sources.database import Row
from rcmon.sources.wmagent.columns import COLUMNS, Column
from rcmon.sources.wmagent.findings import Findings

_DIGITS = re.compile(r"[+-]?[0-9]{1,30}")
_DECIMALS = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_SURROGATES = re.compile("[\ud800-\udfff]")
"""What stands for octets that are no UTF-8."""
_SHOWN = 60
"""Most characters of a value in a message."""

Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")


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
    """Reads the values of one poll, at the time `now`, by the table of columns; notes what cannot be true."""

    def __init__(self, findings: Findings, now: float) -> None:
        self.findings = findings
        self.now = now

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
        self.findings.note("row_unreadable", message, count=lost)
        return made

    def key(self, name: str, value: Any) -> int:
        """Read a row's own number. Raises UnreadableRowError."""
        key = None if isinstance(value, str | bytes) else whole(value)
        if key is None or not COLUMNS[name].holds(key, self.now):
            raise UnreadableRowError(_wrong(name, value))
        return key

    def name(self, name: str, value: Any) -> str:
        """Read a name that something is known by. Raises UnreadableRowError."""
        read = text(value)
        if read is None or not _is_name(read, COLUMNS[name]):
            raise UnreadableRowError(_wrong(name, value))
        return read

    def label(self, name: str, value: Any, whose: Whose = NOBODY) -> str | None:
        """Read a name for something, or nothing."""
        read = text(value)
        if read is None or _is_name(read, COLUMNS[name]):
            return read
        self._note(name, value, whose)
        return None

    def shown(self, name: str, value: Any, whose: Whose = NOBODY) -> str | None:
        """Read a text that is only shown, or nothing: what is no UTF-8 is replaced, excess is cut."""
        given = text(value)
        if given is None:
            return None
        read = _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", given)[: int(COLUMNS[name].high)]
        if read != given:
            self._note(name, value, whose)
        return read

    def whole(self, name: str, value: Any, whose: Whose = NOBODY) -> int | None:
        """Read a whole number that can be true, or nothing."""
        read = plausible(name, value, self.now)
        if read is None and value is not None:
            self._note(name, value, whose)
        return read

    def number(self, name: str, value: Any, whose: Whose = NOBODY) -> float | None:
        """Read a number that can be true, or nothing, as which a time of 0 counts too."""
        column, read = COLUMNS[name], _number(value)
        if value is None or (column.ahead and read == 0):
            return None
        if read is None or not column.holds(read, self.now):
            self._note(name, value, whose)
            return None
        return read

    def _note(self, name: str, value: Any, whose: Whose) -> None:
        """Note a value that cannot be true."""
        message = f"{whose.words}{_wrong(name, value)}"
        self.findings.note(
            COLUMNS[name].finding, message, count=whose.count, site=whose.site, task=whose.task
        )


def plausible(name: str, value: Any, now: float) -> int | None:
    """Read a whole number of a column without a word: nothing where it cannot be true."""
    read = whole(value)
    return read if read is not None and COLUMNS[name].holds(read, now) else None


def priority_of(value: Any) -> int | None:
    """Read a workflow's priority without a word: what is odd is noted where all jobs are counted."""
    return plausible("wmbs_workflow.priority", value, 0)


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


def numbers(value: Any) -> tuple[int, ...]:
    """Read a set that SQL has written with commas; what is no number in it points nowhere."""
    found = map(whole, (text(value) or "").split(","))
    return tuple(number for number in found if number is not None)


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


def _wrong(name: str, value: Any) -> str:
    return f"{name} is {quoted(value)}; right is {COLUMNS[name].right}"

"""Columns of numbers as bytes, of which one place is read without decoding the rest.

A column that does not change is one number. One that does is its first number and its differences, each of
the fewest bytes that hold all of the column's: compressed they take a tenth of what they stand for, and the
number at a place is a sum over a part of an array. Columns with gaps are lists.
"""

import sys
from array import array
from collections.abc import Hashable, Sequence
from itertools import accumulate
from operator import sub
from typing import TypeAlias
from zlib import adler32

from msgspec import Struct, field

Column: TypeAlias = list[int | None]
_RANGES = {"b": 2**7, "h": 2**15, "i": 2**31, "q": 2**63}
"""Differences below it, and not below its negative, are told by an array of that type; little-endian."""
_SUMMED = 256
"""Bytes of which an Adler-32 has the whole sum."""
_BIASED = bytes(range(128, 256)) + bytes(range(128))
"""Signed bytes, each 128 more: none is below 0."""


class Differences(Struct, array_like=True, gc=False):
    """The differences of the columns that need numbers of one width, column after column."""

    width: str
    """As `array` names it."""
    columns: Sequence[int]
    """Which columns they are."""
    steps: bytes

    def opened(self, count: int) -> "array[int]":
        """Give the differences, `count` - 1 of each column; raises ValueError where they are not so many."""
        steps = _native(self.width, self.steps)
        if len(steps) != (count - 1) * len(self.columns):
            raise ValueError("columns differ in length")
        return steps

    def add(self, numbers: Column, count: int, place: int) -> None:
        """Add the sum of each column's first `place` differences to its number; raises likewise."""
        size, end = count - 1, (count - 1) * len(self.columns)
        if self.width != "b" or place > _SUMMED:
            steps = self.opened(count)
            for column, begin in zip(self.columns, range(0, end, size), strict=True):
                numbers[column] += sum(steps[begin : begin + place])  # type: ignore[operator]
            return
        if len(self.steps) != end:
            raise ValueError("columns differ in length")
        # half of an Adler-32 is the sum of bytes, and one, modulo 65521 (RFC 1950): the fastest that there is
        biased, too_much = memoryview(self.steps.translate(_BIASED)), 1 + 128 * place
        for column, begin in zip(self.columns, range(0, end, size), strict=True):
            numbers[column] += (adler32(biased[begin : begin + place]) & 0xFFFF) - too_much  # type: ignore[operator]


class Columns(Struct, array_like=True, gc=False):
    """Some columns of one length, packed."""

    count: int
    """Their length."""
    first: Column
    """Each column's first number, which is all of them where the column does not change."""
    changes: Sequence[Differences] = ()
    gaps: dict[int, Column] = field(default_factory=dict)
    """Columns that are lists."""

    def at(self, place: int, since: int = 0) -> Column:
        """Give the number at a place of each column from one on; what stands for earlier ones means nothing.

        Raises ValueError and its like where they cannot be read.
        """
        numbers = [*self.first]
        for some in self.changes:
            if some.columns[-1] >= since:
                some.add(numbers, self.count, place)
        for column, values in self.gaps.items():
            numbers[column] = values[place]
        return numbers

    def mark(self, number: int) -> Hashable:
        """Give what is the same where a column is the same, and is found with less work; raises likewise."""
        for some in self.changes:
            if number in some.columns:
                size = (self.count - 1) * array(some.width).itemsize
                begin = some.columns.index(number) * size
                return self.count, self.first[number], some.width, some.steps[begin : begin + size]
        return self.count, self.first[number], tuple(self.gaps.get(number, ()))

    def column(self, number: int) -> Column:
        """Give one column whole; raises likewise."""
        for some in self.changes:
            if number in some.columns:
                return self._sums(some.opened(self.count), some.columns.index(number), number)
        return self.gaps.get(number) or [self.first[number]] * self.count

    def all(self) -> list[Column]:
        """Give all columns whole. Raises ValueError and its like where they cannot be read."""
        return self.some(range(len(self.first)))

    def some(self, wanted: Sequence[int], places: Sequence[int] | None = None) -> list[Column]:
        """Give some columns whole, or their numbers at some places; raises likewise."""
        length = self.count if places is None else len(places)
        found: dict[int, Column] = {number: [self.first[number]] * length for number in wanted}
        for moving in self.changes:
            steps = moving.opened(self.count)
            for place, column in enumerate(moving.columns):
                if column in found:
                    sums = self._sums(steps, place, column)
                    found[column] = sums if places is None else [sums[one] for one in places]
        for column, values in self.gaps.items():
            if len(values) != self.count:
                raise ValueError("columns differ in length")
            if column in found:
                found[column] = values if places is None else [values[one] for one in places]
        return [found[number] for number in wanted]

    def _sums(self, steps: "array[int]", place: int, column: int) -> Column:
        size = self.count - 1
        own = steps[place * size : (place + 1) * size]
        return list(accumulate(own, initial=self.first[column]))


def squeeze(columns: Sequence[Column], count: int) -> Columns:
    """Pack columns, each of `count` numbers."""
    packed = Columns(count, [column[0] if column else None for column in columns])
    moving: dict[str, list[int]] = {width: [] for width in _RANGES}
    steps: dict[str, list[int]] = {width: [] for width in _RANGES}
    for number, column in enumerate(columns):
        if column.count(packed.first[number]) == count:
            continue
        changes = None if None in column else [*map(sub, column[1:], column)]
        width = None if changes is None else _width(changes)
        if changes is None or width is None:
            packed.gaps[number] = column
        else:
            moving[width].append(number)
            steps[width] += changes
    packed.changes = [
        Differences(width, own, _native(width, array(width, steps[width])).tobytes())
        for width, own in moving.items()
        if own
    ]
    return packed


def _width(changes: Sequence[int]) -> str | None:
    low, high = min(changes), max(changes)
    return next((width for width, end in _RANGES.items() if -end <= low and high < end), None)


def _native(width: str, numbers: "bytes | array[int]") -> "array[int]":
    """Turn little-endian numbers into the machine's, or back."""
    own: array[int] = array(width, numbers)
    if sys.byteorder == "big":
        own.byteswap()
    return own

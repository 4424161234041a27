"""Which of many named things changed since which snapshot. Pure."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")


class Mark(Struct, Generic[T]):
    """One thing as it was seen last."""

    print: int
    """Of all that counts as a change."""
    came: int
    """Number of the snapshot that it came with."""
    changed: int
    """Number of the snapshot that brought it as it is; where it is gone, of the first without it."""
    value: T
    gone: bool = False


class Difference(Struct, Generic[T], frozen=True):
    """What changed, in the order in which things were told last."""

    changed: list[T]
    gone: list[T]
    """As they were last; also what came and went meanwhile."""
    came: frozenset[int]
    """Indices of those in `changed` that were not there before."""


class Since(Generic[T]):
    """What a row of snapshots held, as far back as the first of them."""

    def __init__(self) -> None:
        self._marks: dict[str, Mark[T]] = {}

    def take(self, number: int, things: Iterable[tuple[str, int, T]]) -> None:
        """Take a snapshot's things: name, print and value of each. Numbers only grow."""
        marks: dict[str, Mark[T]] = {}
        for name, fingerprint, value in things:
            mark = self._marks.pop(name, None)
            if mark is None or mark.gone:
                marks[name] = Mark(fingerprint, number, number, value)
            elif mark.print != fingerprint:
                marks[name] = Mark(fingerprint, mark.came, number, value)
            else:
                mark.value = value
                marks[name] = mark
        for name, mark in self._marks.items():
            if not mark.gone:
                mark.gone, mark.changed = True, number
            marks[name] = mark
        self._marks = marks

    def forget(self, before: int) -> None:
        """Forget what was gone before a snapshot that is the oldest that anybody asks about."""
        old = [name for name, mark in self._marks.items() if mark.gone and mark.changed <= before]
        for name in old:
            del self._marks[name]

    def since(self, number: int) -> Difference[T]:
        """Tell what changed behind a snapshot that was taken."""
        later = [mark for mark in self._marks.values() if mark.changed > number]
        changed = [mark for mark in later if not mark.gone]
        came = frozenset(index for index, mark in enumerate(changed) if mark.came > number)
        gone = [mark.value for mark in later if mark.gone]
        return Difference([mark.value for mark in changed], gone, came)

"""Which files of a store this process really holds open, whatever stands on the disk by now."""

import contextlib
import os

from msgspec.structs import astuple

from rcmon.errors import StoreCorruptError
from rcmon.store.address import NO_FILES, Address, FileId, Files

_OPEN = "/proc/self/fd"
_DELETED = " (deleted)"
"""What stands behind the name of an open file that has none any more."""
EXCHANGED = "the store {} was exchanged for another file"
_NO_LOG = "the log of the store {} was taken away"
_NO_INDEX = "the index of the log of the store {} was taken away"


class OpenFiles:
    """Compares what is open of an SQLite store with what is there."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._known = NO_FILES
        """What was seen to be open, and to be what is there."""

    def lost(self) -> str | None:
        """Say what is open and is not there any more, with a place for the store's name; None: nothing.

        Raises StoreCorruptError where there is no store.
        """
        there = self._address.files()
        if there.store is None:
            raise StoreCorruptError(f"the store {self._address} is not there")
        if there == self._known and None not in astuple(there):
            return None
        return self._compare()

    def learn(self) -> None:
        """See what is open, unless all is known: so long as it is, no other file has its number."""
        if None in astuple(self._known):
            with contextlib.suppress(OSError):  # then a later look tells it
                self._compare()

    def forget(self) -> None:
        """Know of no file any more: all that were open are closed."""
        self._known = NO_FILES

    def _compare(self) -> str | None:
        there, known = self._address.files(), self._known
        held = _held(self._address.names(), astuple(known))
        stores, logs, indexes = held
        if stores and (there.store not in stores or known.store in stores - {there.store}):
            return EXCHANGED
        if logs - {there.log}:
            return _NO_LOG
        if indexes - {there.index}:
            # who opens it now locks another index than we do, and each would write over the other's log
            return _NO_INDEX
        self._known = Files(*(its if ids else None for ids, its in zip(held, astuple(there), strict=True)))
        return None


def _held(names: tuple[str, ...], known: tuple[FileId, ...]) -> tuple[set[FileId], ...]:
    """Tell which files this process has open: by these names, or known and by any name."""
    held: tuple[set[FileId], ...] = tuple(set() for _ in names)
    for number in os.listdir(_OPEN):  # noqa: PTH208 - there are as many as clients
        with contextlib.suppress(OSError):  # it is closed by now
            name = os.readlink(f"{_OPEN}/{number}").removesuffix(_DELETED)  # noqa: PTH115
            found = os.fstat(int(number))
            file = found.st_dev, found.st_ino
            for ids, its_name, its_id in zip(held, names, known, strict=True):
                # what bears another of the names is that file: the numbers of those that ended are given anew
                if name == its_name or (name not in names and file == its_id):
                    ids.add(file)
    return held

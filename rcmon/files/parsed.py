"""Small files that are read again when they change, and whose last good content outlives a bad one."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

from msgspec import Struct

from rcmon.errors import RcmonError

T = TypeVar("T")

FileMark = tuple[int, int, int, int]
"""What tells one content of a file from the next: mtime (ns), size, inode, device."""


class FileError(RcmonError):
    """A file that cannot be read; the message names it."""


class Loaded(Struct, Generic[T], frozen=True):
    """A file as it was last read.

    `value` is of the last good reading, None if there was none; `error` says what was wrong with the newest.
    """

    mark: FileMark
    value: T | None
    error: str | None


def mark(path: Path) -> FileMark:
    """Look at a file without reading it. Raises OSError."""
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino, stat.st_dev


def read_bounded(path: Path, limit: int) -> bytes:
    """Read a file of at most `limit` octets. Raises FileError."""
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from error
    if len(content) > limit:
        raise FileError(f"{path} holds more than {limit} octets")
    return content


class ParsedFiles(Generic[T]):
    """Files of one kind, each parsed once per change.

    `parse(path)` raises RcmonError for a file that cannot be used; its last good value then stays.
    """

    def __init__(self, parse: Callable[[Path], T]) -> None:
        self._parse = parse
        self.loaded: Mapping[Path, Loaded[T]] = {}

    def refresh(self, marks: Mapping[Path, FileMark]) -> None:
        """Read what is new, changed or was wrong of these files, and forget all others."""
        self.loaded = {path: self._load(path, seen) for path, seen in marks.items()}

    def _load(self, path: Path, seen: FileMark) -> Loaded[T]:
        known = self.loaded.get(path)
        if known is not None and known.mark == seen and known.error is None:
            return known
        try:
            return Loaded(seen, self._parse(path), None)
        except RcmonError as error:
            return Loaded(seen, None if known is None else known.value, str(error))

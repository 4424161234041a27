"""An archive of a store: one file that holds every row, whichever kind of database it was in, or will be in.

It is gzip of frames, each a length (four octets, the most significant first) and MessagePack: the head,
then rows, then an end with their numbers. So what is cut, damaged or half written is never taken for whole.
"""

import gzip
import os
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec
from msgspec import Struct

from rcmon.errors import UNREADABLE, StoreError

FORMAT = 1
_LENGTH = 4
_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY
_LONGEST = 1 << 30


class ArchiveHead(Struct, frozen=True, tag=True):
    """Begins an archive."""

    format: int
    version: int
    """Of the schema."""
    made: float
    """Seconds since the epoch."""


class TableRows(Struct, frozen=True, tag=True):
    """Some rows of a table."""

    table: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


class ArchiveEnd(Struct, frozen=True, tag=True):
    """Ends an archive that is whole."""

    counts: dict[str, int]
    """TableRows by table."""


_DECODER = msgspec.msgpack.Decoder(ArchiveHead | TableRows | ArchiveEnd)


class ArchiveWriter:
    """Writes an archive beside its place, and puts it there when it is whole; `close` in any case."""

    def __init__(self, path: Path, version: int, made: float) -> None:
        """Begin one; raises StoreError where something stands there already, or nothing can be written."""
        self._path, self._part = path, fresh(path)
        try:
            self._file: IO[bytes] = os.fdopen(os.open(self._part, _NEW, 0o600), "wb")
        except OSError as error:
            raise StoreError(f"{self._part} cannot be written: {error.strerror}") from error
        self._gzip = gzip.GzipFile(fileobj=self._file, mode="wb", compresslevel=6, mtime=0)
        self._counts: Counter[str] = Counter()
        self._put(ArchiveHead(FORMAT, version, made))

    def add(self, rows: TableRows) -> None:
        """Write some rows."""
        self._counts[rows.table] += len(rows.rows)
        self._put(rows)

    def finish(self) -> dict[str, int]:
        """End it and put it in its place, from where a loss of power takes it no more; gives the counts."""
        counts = dict(self._counts)
        self._put(ArchiveEnd(counts))
        self._gzip.close()
        settle(self._file, self._part, self._path)
        return counts

    def close(self) -> None:
        """Leave nothing half written."""
        self._file.close()
        self._part.unlink(missing_ok=True)

    def _put(self, frame: ArchiveHead | TableRows | ArchiveEnd) -> None:
        data = msgspec.msgpack.encode(frame)
        try:
            self._gzip.write(len(data).to_bytes(_LENGTH) + data)
        except OSError as error:
            raise StoreError(f"{self._part} cannot be written: {error.strerror}") from error


def read_archive(path: Path) -> Iterator[ArchiveHead | TableRows]:
    """Read an archive; raises StoreError where it is none, or not whole: then nothing of it may be kept."""
    try:
        with gzip.open(path, "rb") as file:
            yield from _frames(file, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise StoreError(f"{path} is damaged, or no archive of a store: {error}") from error
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror or error}") from error
    except UNREADABLE as error:
        raise StoreError(f"{path} is damaged, or of another kind: {error}") from error


def _frames(file: gzip.GzipFile, path: Path) -> Iterator[ArchiveHead | TableRows]:
    counts: Counter[str] = Counter()
    first = _frame(file, path)
    if not isinstance(first, ArchiveHead) or first.format != FORMAT:
        raise StoreError(f"{path} is no archive of a store that this rcmon can read")
    yield first
    while not isinstance(frame := _frame(file, path), ArchiveEnd):
        if isinstance(frame, ArchiveHead):
            raise StoreError(f"{path} is damaged: it begins twice")
        counts[frame.table] += len(frame.rows)
        yield frame
    if dict(counts) != frame.counts or file.read(1):
        raise StoreError(f"{path} is damaged: it does not hold the rows that it counts")


def _frame(file: gzip.GzipFile, path: Path) -> ArchiveHead | TableRows | ArchiveEnd:
    length = int.from_bytes(file.read(_LENGTH))
    if not 0 < length < _LONGEST:
        raise StoreError(f"{path} is cut, or no archive of a store")
    data = file.read(length)
    if len(data) < length:
        raise StoreError(f"{path} is cut")
    frame: ArchiveHead | TableRows | ArchiveEnd = _DECODER.decode(data)
    return frame


def fresh(path: Path) -> Path:
    """Name the file in which something is written before it stands at its place, where nothing may be yet."""
    if path.exists():
        raise StoreError(f"{path} is there already: name a new file")
    return path.with_name(path.name + ".part")


def settle(file: IO[bytes], part: Path, path: Path) -> None:
    """Put a file that was written in its place, for good."""
    try:
        file.flush()
        os.fsync(file.fileno())
        part.rename(path)
        handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error

"""How packed points look as bytes: columns, compressed, alone or as a day's parts that are read one by one.

A packed day begins with a byte that names its form; those of releases up to revision 0008 begin as zlib's
streams do, 0x78 (`rcmon.store.chunks_before`).
"""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct, msgpack

from rcmon.errors import UNREADABLE, StoreCorruptError
from rcmon.store.columns import Columns

WHOLE = b"\2"
"""The form of one part: a compressed `PackedBody` or `PackedTasks`."""
PARTED = b"\3"
"""The form of several: `PackedParts`, of which each is as it would be alone. Since revision 0010."""
PART = 240
"""Points of a part. With fewer one point would be read with less work, and a day of many be larger."""
TIMES = 0
"""The place of the times among the columns of a body."""
BROKEN = (zlib.error, *UNREADABLE, TypeError, IndexError, KeyError)
"""What reading bytes that are no packed points may raise."""


class PackedBody(Struct, array_like=True):
    """Points without their task types."""

    words: list[str | None]
    """States, by number."""
    columns: Columns
    """Times, states, and NUMBERS."""


class PackedTasks(Struct, array_like=True):
    """Task types of points."""

    names: list[str]
    columns: Columns
    """Whether they were kept; then TASK_NUMBERS of the first, and so on."""


class PackedParts(Struct, array_like=True):
    """A day in parts, oldest first."""

    begins: list[int]
    """The time of each part's first point."""
    parts: list[bytes]


_BODY = msgpack.Decoder(PackedBody)
_TASKS = msgpack.Decoder(PackedTasks)
_PARTS = msgpack.Decoder(PackedParts)


def sealed(packed: PackedBody | PackedTasks) -> bytes:
    """Write one part."""
    return WHOLE + zlib.compress(msgpack.encode(packed))


def is_whole(body: bytes, tasks: bytes | None) -> bool:
    """Tell whether a part is of the form WHOLE, with its task types where those are given."""
    return body[:1] == WHOLE and (tasks is None or tasks[:1] == WHOLE)


def parted(begins: Sequence[int], parts: Sequence[bytes]) -> bytes:
    """Write a day of several parts."""
    return PARTED + msgpack.encode(PackedParts([*begins], [*parts]))


def open_body(part: bytes) -> PackedBody:
    """Read one part of the form WHOLE; raises one of BROKEN, as all that follow."""
    return _BODY.decode(zlib.decompress(memoryview(part)[1:]))


def open_tasks(part: bytes) -> PackedTasks:
    """Read one part of task types likewise."""
    return _TASKS.decode(zlib.decompress(memoryview(part)[1:]))


def open_parts(packed: bytes) -> PackedParts:
    """Read which parts there are of the form PARTED."""
    found = _PARTS.decode(memoryview(packed)[1:])
    if len(found.begins) != len(found.parts):
        raise ValueError("a part has no begin, or a begin no part")
    return found


def in_parts(packed: bytes) -> Sequence[bytes]:
    """Take a packed day apart; what has no parts is one."""
    return open_parts(packed).parts if packed[:1] == PARTED else (packed,)


@contextmanager
def readable() -> Iterator[None]:
    """Turn BROKEN into StoreCorruptError."""
    try:
        yield
    except BROKEN as error:
        raise unreadable(error) from error


def unreadable(error: Exception) -> StoreCorruptError:
    """Say that packed history cannot be read, and why."""
    return StoreCorruptError(f"packed history cannot be read: {error}")

"""The body of an answer: inflated within bounds, read as JSON."""

import zlib
from typing import TypeVar

import msgspec

from rcmon.errors import UNREADABLE, SourceError

MOST = 32 * 1024 * 1024
"""Octets of an answer that are taken, inflated or not; the largest that is known of has 6 MB."""

Shape = TypeVar("Shape")


def check_size(size: int) -> None:
    """Raise SourceError where an answer is too large."""
    if size > MOST:
        raise SourceError(f"the answer is larger than {MOST} octets")


def inflated(content: bytes, coding: str) -> bytes:
    """Undo an answer's content coding, `gzip` or none, never making more of it than `MOST`.

    Raises SourceError.
    """
    if coding in {"", "identity"}:
        return content
    if coding not in {"gzip", "x-gzip"}:
        raise SourceError(f"the answer is coded as {coding[:40]!r}; asked for was gzip")
    whole, left = bytearray(), content
    while left:
        member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            whole += member.decompress(left, MOST + 1 - len(whole))
        except zlib.error as error:
            raise SourceError("the answer is no gzip, though it says so") from error
        check_size(len(whole))
        if not member.eof:
            raise SourceError("the answer ends in the middle of its gzip")
        left = member.unused_data
    return bytes(whole)


def json_of(content: bytes, shape: type[Shape]) -> Shape:
    """Read JSON of a shape. Raises SourceError for anything else."""
    try:
        return msgspec.json.decode(content, type=shape)
    except msgspec.ValidationError as error:
        raise SourceError(f"the answer is not shaped as it should be: {error}") from error
    except UNREADABLE as error:
        what = "no text in UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        raise SourceError(f"the answer is no JSON: {what}") from error

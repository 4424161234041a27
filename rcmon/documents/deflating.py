"""Deflating a document once per cycle.

zlib serves: the samples of both expositions are deflated once and shared, so that a faster compressor
(isal, zlib-ng) would save some 15 ms in a cycle of 100 000 series, which is no reason for a dependency.
"""

import zlib
from collections.abc import Mapping
from hashlib import sha256

from rcmon.documents.deflated import RAW_DEFLATE
from rcmon.model import Document

LEVEL = 5
"""zlib's: within a percent of what level 6 gives on an exposition, for two thirds of its time."""
DIGEST_LENGTH = 20
"""Characters of a document's digest: 80 bits, against accidents, not against forgers."""


def part() -> "zlib._Compress":
    """Begin one part of an open-ended document; end it with `flush(zlib.Z_SYNC_FLUSH)`.

    Parts made so can stand one after the other in any order: each begins with an empty window and ends
    at a byte boundary without a final block.
    """
    return zlib.compressobj(LEVEL, zlib.DEFLATED, RAW_DEFLATE)


def deflated_part(plain: bytes) -> bytes:
    """Deflate one whole part of an open-ended document."""
    deflate = part()
    return deflate.compress(plain) + deflate.flush(zlib.Z_SYNC_FLUSH)


class OpenEnded:
    """An open-ended document in the making: plain bytes for its sums, deflated parts for its body."""

    def __init__(self, key: str, media_type: str) -> None:
        self._key = key
        self._media_type = media_type
        self._deflated: list[bytes] = []
        self._size = 0
        self._crc32 = 0
        self._hash = sha256()

    def count(self, plain: bytes) -> None:
        """Take note of the next plain bytes."""
        self._size += len(plain)
        self._crc32 = zlib.crc32(plain, self._crc32)
        self._hash.update(plain)

    def append(self, deflated: bytes) -> None:
        """Append deflated bytes of what was or is yet to be counted, in the same order."""
        self._deflated.append(deflated)

    def document(self) -> Document:
        """Return what was appended as a document."""
        return Document(
            key=self._key,
            media_type=self._media_type,
            body=b"".join(self._deflated),
            size=self._size,
            crc32=self._crc32,
            digest=self._hash.hexdigest()[:DIGEST_LENGTH],
            open_ended=True,
        )


def complete(key: str, media_type: str, plain: bytes, previous: Mapping[str, Document]) -> Document:
    """Make a complete document, or return the previous one of that key where nothing changed."""
    digest = sha256(plain).hexdigest()[:DIGEST_LENGTH]
    before = previous.get(key)
    if before is not None and (before.digest, before.size, before.media_type, before.open_ended) == (
        digest,
        len(plain),
        media_type,
        False,
    ):
        return before
    deflate = part()
    body = deflate.compress(plain) + deflate.flush()
    return Document(key, media_type, body, len(plain), zlib.crc32(plain), digest)

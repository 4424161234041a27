"""Deflated documents: made once per cycle, served as one gzip member or inflated bit by bit.

A `rcmon.model.Document` holds raw deflate (RFC 1951), so that gzip (RFC 1952) is a header before it and
a trailer behind it, and nothing is compressed again for a request. An open-ended one takes a worker's own
part in between.

zlib serves: the samples of both expositions are deflated once and shared, so that a faster compressor
(isal, zlib-ng) would save some 15 ms in a cycle of 100 000 series, which is no reason for a dependency.
"""

import zlib
from collections.abc import Iterator, Mapping
from hashlib import sha256
from struct import pack

from msgspec import Struct

from rcmon.errors import StoreCorruptError
from rcmon.model import Document

GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""Method deflate, no flags, no time (equal documents stay equal), no extra flags, unknown system."""

RAW_DEFLATE = -zlib.MAX_WBITS
"""zlib's `wbits` for a deflate stream without header or trailer, with the whole window."""

LEVEL = 5
"""zlib's: within a percent of what level 6 gives on an exposition, for two thirds of its time."""
DIGEST_LENGTH = 20
"""Characters of a document's digest: 80 bits, against accidents, not against forgers."""
_PIECE = 4 * 1024
"""Compressed bytes fed at once: what zlib does not take it copies, for each who reads slowly."""


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


class Parting:
    """Deflates one part after the other, each as `part` says."""

    def __init__(self) -> None:
        self._deflate = part()

    def add(self, plain: bytes) -> bytes:
        """Deflate more of a part; gives what is there by now."""
        return self._deflate.compress(plain)

    def end(self) -> bytes:
        """Give the rest of the part; the next one begins with an empty window."""
        return self._deflate.flush(zlib.Z_FULL_FLUSH)


class Summed(Struct, frozen=True):
    """Plain bytes as the sums of documents need them; many documents may hold them."""

    plain: bytes
    digest: bytes

    @classmethod
    def of(cls, plain: bytes) -> "Summed":
        """Hash them, once for all documents."""
        return cls(plain, sha256(plain).digest())


class OpenEnded:
    """An open-ended document in the making: plain bytes for its sums, deflated parts for its body."""

    def __init__(self, key: str, media_type: str) -> None:
        self._key = key
        self._media_type = media_type
        self._deflated: list[bytes] = []
        self._size = 0
        self._crc32 = 0
        self._hash = sha256()
        self.length = 0
        """Deflated bytes so far."""

    def count(self, plain: Summed) -> None:
        """Take note of the next plain bytes."""
        self._size += len(plain.plain)
        self._crc32 = zlib.crc32(plain.plain, self._crc32)
        self._hash.update(plain.digest)

    def append(self, deflated: bytes) -> None:
        """Append deflated bytes of what was or is yet to be counted, in the same order."""
        self._deflated.append(deflated)
        self.length += len(deflated)

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


def gzip_end(document: Document, tail: bytes = b"") -> bytes:
    """Return what ends the gzip member after GZIP_HEADER and the document's body, with `tail` appended.

    Only an open-ended document takes a tail; ValueError otherwise.
    """
    if not document.open_ended:
        if tail:
            raise ValueError(f"document {document.key!r} is complete: nothing can be appended to it")
        return pack("<LL", document.crc32, document.size & 0xFFFFFFFF)
    deflate = zlib.compressobj(1, zlib.DEFLATED, RAW_DEFLATE)
    last = deflate.compress(tail) + deflate.flush()
    crc = zlib.crc32(tail, document.crc32)
    return last + pack("<LL", crc, (document.size + len(tail)) & 0xFFFFFFFF)


def inflate_chunks(document: Document, size: int = 32 * 1024) -> Iterator[bytes]:
    """Inflate the document in chunks of at most `size` bytes; memory in use stays at a few chunks.

    Raises StoreCorruptError when the body is no deflate stream or does not give the size and checksum
    that the document names: at the latest behind the last chunk, so that whoever streams must cut there.
    """
    inflater = zlib.decompressobj(RAW_DEFLATE)
    crc = total = 0
    for chunk in _inflate(document, inflater, size):
        crc = zlib.crc32(chunk, crc)
        total += len(chunk)
        yield chunk
    whole = not inflater.unused_data and inflater.eof is not document.open_ended
    if not whole or (total, crc) != (document.size, document.crc32):
        raise StoreCorruptError(
            f"document {document.key!r} is damaged: {total} bytes with CRC {crc:08x}, "
            f"it should be {document.size} with {document.crc32:08x}"
        )


def _inflate(document: Document, inflater: "zlib._Decompress", size: int) -> Iterator[bytes]:
    for start in range(0, len(document.body), _PIECE):
        piece = document.body[start : start + _PIECE]
        while True:
            try:
                chunk = inflater.decompress(piece, size)
            except zlib.error as error:
                raise StoreCorruptError(f"document {document.key!r} cannot be inflated: {error}") from None
            if chunk:
                yield chunk
            piece = inflater.unconsumed_tail
            # a full chunk may leave output inside zlib although all input is taken
            if not piece and len(chunk) < size:
                break


def inflate(document: Document) -> bytes:
    """Inflate the whole document; StoreCorruptError as `inflate_chunks`."""
    return b"".join(inflate_chunks(document, 1 << 20))

"""Serving a deflated document: as one gzip member, with an own part appended, or inflated bit by bit.

A `rcmon.model.Document` holds raw deflate (RFC 1951), so that gzip (RFC 1952) is a header before it and
a trailer behind it, and nothing is compressed again for a request.
"""

import zlib
from collections.abc import Iterator
from struct import pack

from rcmon.errors import StoreCorruptError
from rcmon.model import Document

GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""Method deflate, no flags, no time (equal documents stay equal), no extra flags, unknown system."""

RAW_DEFLATE = -zlib.MAX_WBITS
"""zlib's `wbits` for a deflate stream without header or trailer, with the whole window."""

_PIECE = 16 * 1024
"""Compressed bytes fed at once: what zlib does not take it copies, so pieces are small."""


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


def gzip_whole(document: Document) -> bytes:
    """Return the document as one gzip member."""
    return GZIP_HEADER + document.body + gzip_end(document)


def gzip_joined(document: Document, tail: bytes) -> bytes:
    """Return the open-ended document with `tail` appended, as one gzip member."""
    return GZIP_HEADER + document.body + gzip_end(document, tail)


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

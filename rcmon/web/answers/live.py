"""How an answer without an end leaves: as blocks that many such answers share, piece by piece."""

import asyncio
import contextlib
import zlib
from struct import pack

from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

from rcmon.documents.deflated import GZIP_HEADER
from rcmon.web.answers.answer import Block, Live
from rcmon.web.answers.headers import NO_STORE
from rcmon.web.answers.negotiation import preferred

_PIECE = 16 * 1024
"""Bytes that each of many answers holds while its client takes them: one record of TLS."""
_LAST = b"\x03\x00"
"""An empty final block of deflate."""


async def live(handler: RequestHandler, answer: Live) -> None:
    """Answer until it is over or the client is gone; the connection ends with it.

    With gzip each block is compressed once for all: a compressor for each answer would hold a quarter of a
    megabyte. HTTP/1.0 gets it without chunks.
    """
    gzip = preferred(handler.request.headers.get("Accept-Encoding")) == "gzip"
    for name, value in (
        NO_STORE,
        ("Content-Type", answer.media_type),
        ("Connection", "close"),
        ("Vary", "Accept-Encoding"),
        ("X-Accel-Buffering", "no"),  # nginx, for one, would keep it to itself
    ):
        handler.set_header(name, value)
    if gzip:
        handler.set_header("Content-Encoding", "gzip")
    if handler.request.method == "HEAD":
        await handler.flush()
        return
    form = _Gzip() if gzip else _Identity()
    async with contextlib.aclosing(answer.blocks) as blocks:  # type: ignore[type-var]
        with contextlib.suppress(StreamClosedError):
            async for block in blocks:
                if not await _pour(handler, form.piece(block), answer.over):
                    return
                del block  # the next may be long in coming
            handler.write(form.end())


class _Identity:
    def piece(self, block: Block) -> bytes:
        return block.plain

    def end(self) -> bytes:
        return b""


class _Gzip:
    """One gzip member (RFC 1952) of all blocks."""

    def __init__(self) -> None:
        self._crc32 = self._size = 0

    def piece(self, block: Block) -> bytes:
        header = b"" if self._size else GZIP_HEADER
        self._crc32 = zlib.crc32(block.plain, self._crc32)
        self._size += len(block.plain)
        return header + block.deflated

    def end(self) -> bytes:
        return _LAST + pack("<LL", self._crc32, self._size & 0xFFFFFFFF)


async def _pour(handler: RequestHandler, data: bytes, over: "asyncio.Future[str]") -> bool:
    """Write, each piece when the one before has left; whether all has left before it was over."""
    for start in range(0, len(data), _PIECE):
        handler.write(data[start : start + _PIECE])
        left = asyncio.ensure_future(handler.flush())
        await asyncio.wait((left, over), return_when=asyncio.FIRST_COMPLETED)
        if not left.done():
            if isinstance(connection := handler.request.connection, HTTP1Connection):
                connection.close()  # the client does not take it: there is no orderly end
            return False
        left.result()
    return True

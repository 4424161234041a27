"""How answers leave: ready bytes on either way, large ones piece by piece, computed ones as a stream."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Literal, Protocol, cast

from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

from rcmon.web.answers.headers import REVALIDATE
from rcmon.web.answers.negotiation import wants_gzip
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import CHUNK, Fresh, Ready, Variant, matches


class ShortWay(Protocol):
    """A connection that takes a whole answer at once, past Tornado's machinery."""

    short: Literal[True]

    def put(self, head: bytes, parts: tuple[bytes, ...]) -> None:
        """Take status line and header lines (without Date, Connection and the empty line), and the body.

        The body is to be left out where the request is HEAD.
        """
        ...


def choose(handler: RequestHandler, ready: Ready) -> Variant:
    """Choose the content coding; Problem 406 where the client accepts none that there is."""
    accepted = handler.request.headers.get("Accept-Encoding")
    variant = ready.choose(accepted)
    if variant is None:
        detail = f"Accept-Encoding {accepted!r} refuses every content coding there is: gzip and identity."
        raise Problem(406, detail, allowed=["gzip", "identity"])
    return variant


def is_unchanged(handler: RequestHandler, etag: str) -> bool:
    """Tell whether the client holds this already."""
    return matches(handler.request.headers.get("If-None-Match"), etag)


def send(handler: RequestHandler, ready: Ready) -> Awaitable[None] | None:
    """Answer with ready bytes through Tornado: 200 or 304."""
    variant = choose(handler, ready)
    for name, value in variant.stable:
        handler.set_header(name, value)
    if is_unchanged(handler, variant.etag):
        handler.set_status(304)
        handler.finish()
        return None
    for name, value in variant.entity:
        handler.set_header(name, value)
    if handler.request.method == "HEAD":
        handler.finish()
        return None
    if variant.parts is not None and variant.size <= CHUNK:
        handler.finish(b"".join(variant.parts))
        return None
    return _pour(handler, ready.body.chunks() if variant.parts is None else pieces(variant.parts))


def send_short(handler: RequestHandler, ready: Ready) -> None:
    """Put ready bytes on the short way; a body to be inflated piece by piece is left to Tornado's."""
    variant = choose(handler, ready)
    way = cast("ShortWay", handler.request.connection)
    if is_unchanged(handler, variant.etag):
        way.put(variant.unchanged, ())
    elif variant.parts is not None:
        way.put(variant.ok, variant.parts)


async def settled(answer: Awaitable[None] | None) -> None:
    """Wait for an answer that may have left already."""
    if answer is not None:
        await answer


def pieces(parts: tuple[bytes, ...]) -> Iterator[bytes]:
    """Cut a body into pieces of at most CHUNK bytes."""
    for part in parts:
        for start in range(0, len(part), CHUNK):
            yield part[start : start + CHUNK]


async def _pour(handler: RequestHandler, chunks: Iterator[bytes]) -> None:
    """Write pieces, each only when the one before has left; a client that goes away ends it quietly."""
    try:
        for chunk in chunks:
            handler.write(chunk)
            await handler.flush()
            await asyncio.sleep(0)  # a fast reader must not keep the loop from others
    except StreamClosedError:
        return


async def stream(handler: RequestHandler, made: AsyncIterator[bytes], media_type: str, digest: str) -> None:
    """Answer with bytes that are computed while they leave; `digest` stands for all that they depend on.

    Tornado compresses them where gzip is preferred, which the ETag tells apart.
    """
    gzip = wants_gzip(handler.request.headers.get("Accept-Encoding"))
    etag = f'"{digest}-gz"' if gzip else f'"{digest}"'
    for name, value in (("ETag", etag), ("Content-Type", media_type), REVALIDATE):
        handler.set_header(name, value)
    if is_unchanged(handler, etag):
        handler.set_status(304)
    elif handler.request.method == "HEAD":
        await handler.flush()  # else Tornado would name the length of nothing
    elif handler.request.version == "HTTP/1.0":
        # a stream without a length would end only with the connection, which may be kept alive
        body = b"".join([piece async for piece in made])
        await settled(send(handler, Ready(Fresh(body), media_type)))
    else:
        await _pour_made(handler, made)


async def _pour_made(handler: RequestHandler, made: AsyncIterator[bytes]) -> None:
    held, size = [], 0
    try:
        async for piece in made:
            held.append(piece)
            size += len(piece)
            if size >= CHUNK:
                handler.write(b"".join(held))
                held, size = [], 0
                await handler.flush()
                await asyncio.sleep(0)
        handler.write(b"".join(held))
    except StreamClosedError:
        return

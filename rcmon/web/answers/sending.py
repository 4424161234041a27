"""How answers leave by Tornado's way: ready bytes, large ones piece by piece, computed ones as a stream."""

import asyncio
from collections.abc import AsyncIterator, Iterator

from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

from rcmon.web.answers.answer import Answer, Bare, Live, Streamed, Written
from rcmon.web.answers.headers import NO_STORE, REVALIDATE, Field
from rcmon.web.answers.live import live
from rcmon.web.answers.negotiation import codings, not_acceptable, wants_gzip
from rcmon.web.answers.ready import CHUNK, KEPT, Fresh, Ready, Variant, matches


async def send(handler: RequestHandler, answer: Answer) -> None:
    """Send what a method returned; Problem 406 where the client accepts no content coding that there is."""
    if isinstance(answer, Ready):
        await _ready(handler, answer)
    elif isinstance(answer, Streamed):
        await _stream(handler, answer)
    elif isinstance(answer, Live):
        await live(handler, answer)
    elif isinstance(answer, Bare):
        handler.set_status(answer.status)
        _set(handler, answer.fields)
    elif isinstance(answer, Written):
        handler.set_status(answer.status)
        _set(handler, (NO_STORE, ("Content-Type", answer.media_type), *answer.fields))
        handler.write(answer.body)
    else:
        raise TypeError(f"a handler's method returned {answer!r}, which is no answer")


async def _ready(handler: RequestHandler, ready: Ready) -> None:
    """Answer with ready bytes: 200 or 304."""
    variant = _choose(handler, ready)
    _set(handler, variant.stable)
    if _is_unchanged(handler, variant.etag):
        handler.set_status(304)
        return
    _set(handler, variant.entity)
    if handler.request.method == "HEAD":
        return
    if variant.parts is not None and variant.size <= CHUNK:
        handler.write(b"".join(variant.parts))
    else:
        await _pour(handler, ready.body.chunks() if variant.parts is None else pieces(variant.parts))


def _choose(handler: RequestHandler, ready: Ready) -> Variant:
    accepted = handler.request.headers.get("Accept-Encoding")
    variant = ready.choose(codings(accepted))
    if variant is None:
        raise not_acceptable(accepted)
    return variant


def _is_unchanged(handler: RequestHandler, etag: str) -> bool:
    """Tell whether the client holds this already."""
    return matches(handler.request.headers.get("If-None-Match"), etag)


def _set(handler: RequestHandler, fields: tuple[Field, ...]) -> None:
    for name, value in fields:
        handler.set_header(name, value)


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


async def _stream(handler: RequestHandler, stream: Streamed) -> None:
    """Answer with bytes that are computed while they leave.

    Tornado compresses them where gzip is preferred, which the ETag tells apart.
    """
    gzip = wants_gzip(handler.request.headers.get("Accept-Encoding"))
    etag = f'"{stream.digest}-gz"' if gzip else f'"{stream.digest}"'
    _set(handler, (("ETag", etag), ("Content-Type", stream.media_type), REVALIDATE, *stream.fields))
    if _is_unchanged(handler, etag):
        handler.set_status(304)
    elif handler.request.method == "HEAD":
        await handler.flush()  # else Tornado would name the length of nothing
    elif handler.request.version == "HTTP/1.0":
        # a stream without a length would end only with the connection, which may be kept alive
        body = b"".join([piece async for piece in stream.pieces])
        await _ready(handler, Ready(Fresh(body), stream.media_type, fields=stream.fields))
    else:
        await _pour_made(handler, stream.pieces)


async def _pour_made(handler: RequestHandler, made: AsyncIterator[bytes]) -> None:
    """Write what is being made: whole, and with its length, where it is small; else piece by piece."""
    held, size, enough = [], 0, KEPT
    try:
        async for piece in made:
            held.append(piece)
            size += len(piece)
            if size >= enough:
                handler.write(b"".join(held))
                held, size, enough = [], 0, CHUNK
                await handler.flush()
                await asyncio.sleep(0)
        handler.write(b"".join(held))
    except StreamClosedError:
        return

"""What a handler's method returns: the answer, whichever way it then leaves."""

import asyncio
from collections.abc import AsyncIterator

from msgspec import Struct

from rcmon.web.answers.headers import Field
from rcmon.web.answers.ready import Ready


class Streamed(Struct, frozen=True):
    """Bytes that are computed while they leave."""

    pieces: AsyncIterator[bytes]
    media_type: str
    digest: str
    """Stands for all that the bytes depend on: the ETag is made of it."""
    fields: tuple[Field, ...] = ()
    """Further header fields."""


class Block(Struct, frozen=True, eq=False):
    """Bytes that many answers share."""

    plain: bytes
    deflated: bytes
    """The same, as a part of a deflate stream that can stand behind any other such part and before any."""


class Live(Struct, frozen=True):
    """Bytes that come as things happen, without an end of their own."""

    blocks: AsyncIterator[Block]
    """A Problem before the first block is the answer."""
    over: "asyncio.Future[str]"
    """Once this is there nothing more is to leave; whoever sees the client go sets it."""
    media_type: str


class Bare(Struct, frozen=True):
    """An answer without a body, such as a 204 or a redirect."""

    status: int
    fields: tuple[Field, ...] = ()


class Written(Struct, frozen=True):
    """What a change gave: of this moment alone, whatever conditions the request had."""

    status: int
    body: bytes
    media_type: str
    fields: tuple[Field, ...] = ()


Answer = Ready | Streamed | Live | Bare | Written

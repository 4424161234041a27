"""What a handler's method returns: the answer, whichever way it then leaves."""

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


Answer = Ready | Streamed | Bare | Written

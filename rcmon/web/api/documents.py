"""The snapshot's JSON documents, read here."""

from typing import TypeVar

import msgspec

from rcmon.documents.deflated import inflate
from rcmon.errors import UNREADABLE
from rcmon.web.board import Held

T = TypeVar("T")


def read_document(held: Held, key: str, shape: type[T]) -> T:
    """Read a document of the snapshot; Problem 503 where it is missing, or of another form."""
    try:
        return msgspec.json.decode(inflate(held.document(key)), type=shape)
    except UNREADABLE:
        raise held.missing(key) from None

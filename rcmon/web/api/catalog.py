"""What there is, as the index and the page tell it."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from rcmon.web.about import FULL_NAME, About
from rcmon.web.answers.ready import Fresh, Ready


class Taken(Struct, frozen=True):
    """One query parameter that a resource takes."""

    name: str
    allowed: str
    """In words."""
    schema: dict[str, Any]
    """As JSON Schema says it."""


class Resource(Struct, frozen=True):
    """One endpoint for one role."""

    path: str
    methods: tuple[str, ...]
    role: str
    """The role that is needed; `any`: any certificate will do."""
    summary: str
    parameters: tuple[Taken, ...]


class IndexDocument(Struct, frozen=True):
    """All endpoints."""

    name: str
    title: str
    version: str
    count: int
    total: int
    next: None
    endpoints: Sequence[Resource]


def index(about: About, table: Sequence[Resource]) -> Ready:
    """Write the index, ready to send."""
    number = len(table)
    body = IndexDocument(about.name, FULL_NAME, about.version, number, number, None, table)
    return Ready(Fresh(msgspec.json.encode(body) + b"\n"), "application/json", vary="Accept, Accept-Encoding")

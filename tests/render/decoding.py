"""Reading documents back."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from msgspec import json

from rcmon.documents.deflated import inflate
from rcmon.model import Document, Snapshot
from rcmon.render import render

T = TypeVar("T")
Documents = dict[str, Document]


def read(documents: Mapping[str, Document], key: str, shape: type[T]) -> T:
    return json.decode(inflate(documents[key]), type=shape)


def rendered(snapshot: Snapshot) -> Documents:
    return {document.key: document for document in render(snapshot)}


def moment(written: str | None) -> float | None:
    return None if written is None else datetime.fromisoformat(written).timestamp()

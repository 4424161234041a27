"""The document of findings."""

from collections.abc import Iterator, Mapping

from rcmon.documents import keys
from rcmon.documents.shapes import FindingsDocument
from rcmon.model import Document, Snapshot
from rcmon.render.encoding import json_document
from rcmon.timestamps import iso


def findings_document(snapshot: Snapshot, previous: Mapping[str, Document]) -> Iterator[Document]:
    """Render all findings."""
    number = len(snapshot.findings)
    document = FindingsDocument(iso(snapshot.started), number, number, None, snapshot.findings)
    yield json_document(keys.FINDINGS, document, previous)

"""Rendering: a snapshot -> every document of it, once per cycle, so that nothing is rendered per request."""

from collections.abc import Mapping

from rcmon.documents import keys
from rcmon.documents.shapes import FindingsDocument
from rcmon.model import Document, Snapshot
from rcmon.render.agents import agent_documents
from rcmon.render.encoding import json_document
from rcmon.render.facts import facts_document
from rcmon.render.families import expositions
from rcmon.render.sites import site_documents
from rcmon.timestamps import iso

_NOTHING: Mapping[str, Document] = {}


def render(snapshot: Snapshot, previous: Mapping[str, Document] = _NOTHING) -> list[Document]:
    """Render every document that `rcmon.documents.keys` names.

    `previous` are the documents of an earlier snapshot by key: one that did not change is returned as it
    was, without being compressed again.
    """
    return [
        *expositions(snapshot),
        *site_documents(snapshot, previous),
        *agent_documents(snapshot, previous),
        _findings(snapshot, previous),
        facts_document(snapshot, previous),
    ]


def _findings(snapshot: Snapshot, previous: Mapping[str, Document]) -> Document:
    number = len(snapshot.findings)
    document = FindingsDocument(iso(snapshot.started), number, number, None, snapshot.findings)
    return json_document(keys.FINDINGS, document, previous)

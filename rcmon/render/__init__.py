"""Rendering: a snapshot -> every document of it, once per cycle, so that nothing is rendered per request."""

from collections.abc import Mapping

from msgspec import msgpack

from rcmon.documents import keys
from rcmon.documents.deflating import complete
from rcmon.documents.shapes import Facts, FindingsDocument
from rcmon.model import Document, Snapshot
from rcmon.render.agents import agent_documents
from rcmon.render.encoding import json_document
from rcmon.render.families import expositions
from rcmon.render.sites import MSGPACK, site_documents
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
        _facts(snapshot, previous),
    ]


def _findings(snapshot: Snapshot, previous: Mapping[str, Document]) -> Document:
    findings = FindingsDocument(iso(snapshot.started), len(snapshot.findings), snapshot.findings)
    return json_document(keys.FINDINGS, findings, previous)


def _facts(snapshot: Snapshot, previous: Mapping[str, Document]) -> Document:
    facts = Facts(
        started=snapshot.started,
        duration=snapshot.duration,
        interval=snapshot.interval,
        sources=snapshot.sources,
        agents=tuple(snapshot.agents),
        findings=len(snapshot.findings),
    )
    return complete(keys.FACTS, MSGPACK, msgpack.encode(facts), previous)

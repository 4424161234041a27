"""Rendering: a snapshot -> every document of it, once per cycle, so that nothing is rendered per request.

A new document is its key in `rcmon.documents.keys`, a file here that makes it, its line in `RENDERINGS`, and
its test.
"""

from collections.abc import Mapping

from rcmon.documents import keys
from rcmon.model import Document, Snapshot
from rcmon.render.agents import agent_documents
from rcmon.render.drift import drift_documents
from rcmon.render.facts import facts_document
from rcmon.render.findings import findings_document
from rcmon.render.rendering import Rendering
from rcmon.render.sites import site_documents
from rcmon.render.why import made_of_verdicts
from rcmon.render.wmcore import wmcore_documents

RENDERINGS: tuple[Rendering, ...] = (
    Rendering((keys.METRICS_TEXT, keys.METRICS_OPENMETRICS, keys.WHY, keys.OVERVIEW), made_of_verdicts),
    Rendering((keys.SITES, keys.SITES_INDEX), site_documents),
    Rendering((keys.AGENTS, keys.agent("{agent}")), agent_documents),
    Rendering((keys.thresholds("{agent}"), keys.backlog("{agent}")), wmcore_documents),
    Rendering((keys.FINDINGS,), findings_document),
    Rendering((keys.DRIFT, keys.EXPECTED), drift_documents),
    Rendering((keys.FACTS,), facts_document),
)
"""Every document of a snapshot: those that are made together stand together."""

_NOTHING: Mapping[str, Document] = {}


def render(snapshot: Snapshot, previous: Mapping[str, Document] = _NOTHING) -> list[Document]:
    """Render every document that `rcmon.documents.keys` names.

    `previous` are the documents of an earlier snapshot by key: one that did not change is returned as it
    was, without being compressed again.
    """
    return [document for rendering in RENDERINGS for document in rendering.make(snapshot, previous)]

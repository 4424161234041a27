"""Rendering: a snapshot -> every document of it, once per cycle, so that nothing is rendered per request.

A new document is its key in `rcmon.documents.keys`, a file here that makes it, its line in `renderings`, and
its test.
"""

from collections.abc import Mapping, Sequence
from functools import partial

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

_NOTHING: Mapping[str, Document] = {}


def renderings(*, task_zeros: bool = True) -> tuple[Rendering, ...]:
    """List what makes the documents of a snapshot: those that are made together stand together.

    `task_zeros`: whether the expositions say that a task type has no jobs.
    """
    return (
        Rendering(
            (
                *(keys.METRICS_TEXT, keys.METRICS_OPENMETRICS, keys.METRICS_PIECES, keys.METRICS_INDEX),
                *(keys.WHY, keys.OVERVIEW),
            ),
            partial(made_of_verdicts, task_zeros=task_zeros),
        ),
        Rendering((keys.SITES, keys.SITES_INDEX), site_documents),
        Rendering((keys.AGENTS, keys.agent("{agent}")), agent_documents),
        Rendering((keys.thresholds("{agent}"), keys.backlog("{agent}")), wmcore_documents),
        Rendering((keys.FINDINGS,), findings_document),
        Rendering((keys.DRIFT, keys.EXPECTED), drift_documents),
        Rendering((keys.FACTS,), facts_document),
    )


RENDERINGS = renderings()
"""Every document of a snapshot."""


def render(
    snapshot: Snapshot,
    previous: Mapping[str, Document] = _NOTHING,
    made: Sequence[Rendering] = RENDERINGS,
) -> list[Document]:
    """Render every document that `rcmon.documents.keys` names.

    `previous` are the documents of an earlier snapshot by key: one that did not change is returned as it
    was, without being compressed again.
    """
    return [document for rendering in made for document in rendering.make(snapshot, previous)]

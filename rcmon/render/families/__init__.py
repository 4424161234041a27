"""A snapshot in both exposition formats of Prometheus, each sample written and deflated once for both."""

import zlib
from collections.abc import Mapping

from rcmon.documents.deflated import OpenEnded, deflated_part, part
from rcmon.documents.keys import METRICS_OPENMETRICS, METRICS_TEXT
from rcmon.exposition.lines import blocks, openmetrics_head, text_head
from rcmon.model import Document, Snapshot
from rcmon.render.families.family import Family
from rcmon.render.families.table import FAMILIES
from rcmon.render.families.view import View, view

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def expositions(snapshot: Snapshot, _previous: Mapping[str, Document]) -> list[Document]:
    """Render text 0.0.4 and OpenMetrics 1.0, both open-ended (and OpenMetrics without `# EOF`)."""
    text, openmetrics = OpenEnded(METRICS_TEXT, TEXT), OpenEnded(METRICS_OPENMETRICS, OPENMETRICS)
    seen = view(snapshot)
    for family in FAMILIES:
        _append(family, seen, text, openmetrics)
    return [text.document(), openmetrics.document()]


def _append(family: Family, seen: View, text: OpenEnded, openmetrics: OpenEnded) -> None:
    """Append one family to both; one without a sample has no head either."""
    heads = (
        (text, text_head(family.name, family.kind, family.help)),
        (openmetrics, openmetrics_head(family.name, family.kind, family.unit, family.help)),
    )
    deflate, deflated, empty = part(), [], True
    for block in blocks(family.name, family.samples(seen)):
        for document, head in heads:
            if empty:
                document.count(head)
                document.append(deflated_part(head))
            document.count(block)
        empty = False
        deflated.append(deflate.compress(block))
    if empty:
        return
    deflated.append(deflate.flush(zlib.Z_SYNC_FLUSH))
    samples = b"".join(deflated)
    text.append(samples)
    openmetrics.append(samples)

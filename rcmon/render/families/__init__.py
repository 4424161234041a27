"""A snapshot in both exposition formats of Prometheus, each sample written and deflated once for both."""

import zlib
from collections.abc import Mapping

from rcmon.documents.deflated import OpenEnded, deflated_part, part
from rcmon.documents.keys import METRICS_OPENMETRICS, METRICS_TEXT
from rcmon.exposition.formats import MEDIA_TYPES, Format, head
from rcmon.exposition.lines import blocks
from rcmon.model import Document, Snapshot
from rcmon.render.families.family import Family
from rcmon.render.families.table import FAMILIES
from rcmon.render.families.view import View, view


def expositions(snapshot: Snapshot) -> list[Document]:
    """Render both formats of a snapshot."""
    return exposed(view(snapshot))


def exposed(seen: View) -> list[Document]:
    """Render text 0.0.4 and OpenMetrics 1.0, both open-ended (and OpenMetrics without `# EOF`)."""
    both: dict[Format, OpenEnded] = {
        "text": OpenEnded(METRICS_TEXT, MEDIA_TYPES["text"]),
        "openmetrics": OpenEnded(METRICS_OPENMETRICS, MEDIA_TYPES["openmetrics"]),
    }
    for family in FAMILIES:
        _append(family, seen, both)
    return [document.document() for document in both.values()]


def _append(family: Family, seen: View, both: Mapping[Format, OpenEnded]) -> None:
    """Append one family to both; one without a sample has no head either."""
    deflate, deflated, empty = part(), [], True
    for block in blocks(family.name, family.samples(seen)):
        for form, document in both.items():
            if empty:
                begin = head(form, family.name, family.kind, family.help)
                document.count(begin)
                document.append(deflated_part(begin))
            document.count(block)
        empty = False
        deflated.append(deflate.compress(block))
    if empty:
        return
    deflated.append(deflate.flush(zlib.Z_SYNC_FLUSH))
    samples = b"".join(deflated)
    for document in both.values():
        document.append(samples)

"""A snapshot in both exposition formats of Prometheus, each sample written and deflated once for both."""

from rcmon.model import Document, Snapshot
from rcmon.render.families.table import COLLECTORS
from rcmon.render.families.view import Views, views
from rcmon.render.families.writer import Writer


def expositions(snapshot: Snapshot, *, zeros: bool = True) -> list[Document]:
    """Render both formats of a snapshot, and what tells their pieces; `zeros` as in `View`."""
    return exposed(views(snapshot, zeros=zeros))


def exposed(seen: Views) -> list[Document]:
    """Render text 0.0.4 and OpenMetrics 1.0, both open-ended (and OpenMetrics without `# EOF`).

    Behind them come `METRICS_PIECES` and `METRICS_INDEX`.
    """
    writer = Writer()
    for collector, families in COLLECTORS.items():
        for family in families:
            writer.write(collector, family, seen)
    return writer.documents()

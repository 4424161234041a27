"""Reading an exposition back, with prometheus_client's own parsers."""

from collections.abc import Sequence

from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families

from rcmon.documents.deflated import inflate
from rcmon.documents.keys import METRICS_OPENMETRICS, METRICS_TEXT
from rcmon.model import Document, Snapshot
from rcmon.render.families import expositions

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def labelled(**labels: str) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


def plain(snapshot: Snapshot) -> tuple[str, str]:
    """Text 0.0.4, and OpenMetrics with the end that a worker gives it."""
    made: dict[str, Document] = {document.key: document for document in expositions(snapshot)}
    text, openmetrics = inflate(made[METRICS_TEXT]).decode(), inflate(made[METRICS_OPENMETRICS]).decode()
    return text, openmetrics + "# EOF\n"


def text_series(text: str) -> Series:
    return collect([s for family in text_string_to_metric_families(text) for s in family.samples])


def openmetrics_series(text: str) -> Series:
    families = openmetrics_parser.text_string_to_metric_families(text)
    return collect([s for family in families for s in family.samples])


def collect(samples: Sequence[object]) -> Series:
    series: Series = {}
    for sample in samples:
        key = (sample.name, frozenset(sample.labels.items()))  # type: ignore[attr-defined]
        assert key not in series, f"{key} occurs twice"
        series[key] = sample.value  # type: ignore[attr-defined]
    return series


def series_of(snapshot: Snapshot) -> Series:
    """The samples of a snapshot, after making sure that both formats agree on every one."""
    text, openmetrics = plain(snapshot)
    series = text_series(text)
    assert openmetrics_series(openmetrics) == series
    return series

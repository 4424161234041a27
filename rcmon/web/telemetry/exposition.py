"""The exposition: the snapshot's part as the collector rendered it, with the service's own part appended."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from rcmon.documents import keys
from rcmon.exposition.lines import blocks, label, openmetrics_head, text_head
from rcmon.telemetry.metric import Metric
from rcmon.web.answers.cached import Cached
from rcmon.web.answers.negotiation import Format
from rcmon.web.answers.ready import Fresh, Kept, Ready
from rcmon.web.telemetry.told import TOLD, Seen
from rcmon.web.telemetry.totals import Buckets, Sample, Totals

MEDIA_TYPES: Mapping[Format, str] = {
    "text": "text/plain; version=0.0.4; charset=utf-8",
    "openmetrics": "application/openmetrics-text; version=1.0.0; charset=utf-8",
}
_KEYS: Mapping[Format, str] = {
    "text": keys.METRICS_TEXT,
    "openmetrics": keys.METRICS_OPENMETRICS,
}
_ENDS: Mapping[Format, bytes] = {"text": b"", "openmetrics": b"# EOF\n"}


class Exposition:
    """Makes what a scrape gets, at most ten times a second.

    The snapshot's part is neither rendered nor compressed again.
    """

    def __init__(self, seen: Seen, totals: Totals) -> None:
        self._seen, self._totals = seen, totals
        self._ready = {form: Cached(partial(self._render, form)) for form in MEDIA_TYPES}

    def ready(self, form: Format) -> Ready:
        """Give the exposition in a format; before the first snapshot it is the service's own part alone."""
        return self._ready[form].get(self._seen.board.current)

    def _render(self, form: Format) -> Ready:
        own = b"".join(self._lines(form)) + _ENDS[form]
        held = self._seen.board.current
        body = Kept(held.documents[_KEYS[form]], own) if held else Fresh(own)
        return Ready(body, MEDIA_TYPES[form], vary="Accept, Accept-Encoding")

    def _lines(self, form: Format) -> Iterator[bytes]:
        """Write every family; one without a sample has no head either."""
        for metric, written in self._families():
            if lines := b"".join(written):
                yield _head(metric, form)
                yield lines

    def _families(self) -> Iterator[tuple[Metric, Iterator[bytes]]]:
        for told in TOLD:
            yield told.metric, _samples(told.metric, told.read(self._seen))
        for metric in self._totals.layout.table:
            if metric.kind == "histogram":
                yield metric, _histogram(metric, self._totals.histograms(metric))
            else:
                yield metric, _samples(metric, self._totals.samples(metric))


def _head(metric: Metric, form: Format) -> bytes:
    if form == "text":
        return text_head(metric.name, metric.kind, metric.help)
    return openmetrics_head(metric.name, metric.kind, metric.unit, metric.help)


def _samples(metric: Metric, samples: Iterable[Sample]) -> Iterator[bytes]:
    return blocks(metric.name, ((_labels(metric, labels), _whole(value)) for labels, value in samples))


def _histogram(metric: Metric, series: Iterable[Buckets]) -> Iterator[bytes]:
    """Write cumulative buckets, count and sum of each series."""
    bounds = [label("le", bound) for bound in (*map(repr, metric.bounds), "+Inf")]
    for values, counts, total in series:
        labels = _labels(metric, values)
        lead = f"{labels}," if labels else ""
        steps = ((lead + bound, _whole(count)) for bound, count in zip(bounds, counts, strict=True))
        yield from blocks(f"{metric.name}_bucket", steps)
        yield from blocks(f"{metric.name}_count", [(labels, _whole(counts[-1]))])
        yield from blocks(f"{metric.name}_sum", [(labels, total)])


def _labels(metric: Metric, values: tuple[str, ...]) -> str:
    return ",".join(label(name, value) for name, value in zip(metric.labels, values, strict=True))


def _whole(value: float | None) -> float | None:
    """Give a count without a fraction."""
    return int(value) if isinstance(value, float) and value.is_integer() else value

"""The exposition: the snapshot's part as the collector rendered it, with the service's own part appended."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from rcmon.documents import keys
from rcmon.exposition.formats import ENDS, MEDIA_TYPES, Format, head
from rcmon.exposition.histogram import histogram_blocks
from rcmon.exposition.lines import blocks, labels
from rcmon.telemetry.metric import Metric
from rcmon.web.answers.cached import Cached
from rcmon.web.answers.ready import Fresh, Kept, Ready
from rcmon.web.telemetry.told import TOLD, Seen
from rcmon.web.telemetry.totals import Buckets, Sample, Totals

_KEYS: Mapping[Format, str] = {
    "text": keys.METRICS_TEXT,
    "openmetrics": keys.METRICS_OPENMETRICS,
}


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
        own = b"".join(self._lines(form)) + ENDS[form]
        held = self._seen.board.current
        body = Kept(held.document(_KEYS[form]), own) if held else Fresh(own)
        return Ready(body, MEDIA_TYPES[form], vary="Accept, Accept-Encoding")

    def _lines(self, form: Format) -> Iterator[bytes]:
        """Write every family; one without a sample has no head either."""
        for metric, written in self._families():
            if lines := b"".join(written):
                yield head(form, metric.name, metric.kind, metric.help)
                yield lines

    def _families(self) -> Iterator[tuple[Metric, Iterator[bytes]]]:
        for told in TOLD:
            yield told.metric, _samples(told.metric, told.read(self._seen))
        for metric in self._totals.layout.table:
            if metric.kind == "histogram":
                yield metric, _histogram(metric, self._totals.histograms(metric))
            else:
                yield metric, _samples(metric, self._totals.samples(metric))


def _samples(metric: Metric, samples: Iterable[Sample]) -> Iterator[bytes]:
    return blocks(metric.name, ((labels(metric.labels, values), _whole(value)) for values, value in samples))


def _histogram(metric: Metric, series: Iterable[Buckets]) -> Iterator[bytes]:
    for values, counts, total in series:
        yield from histogram_blocks(metric.name, labels(metric.labels, values), metric.bounds, counts, total)


def _whole(value: float | None) -> float | None:
    """Give a count without a fraction."""
    return int(value) if isinstance(value, float) and value.is_integer() else value

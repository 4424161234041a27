"""The exposition: the snapshot's part as the collector rendered it, with the service's own part appended."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from rcmon.documents import keys
from rcmon.documents.pieces import PiecesIndex
from rcmon.exposition.formats import ENDS, MEDIA_TYPES, Format, head
from rcmon.exposition.histogram import histogram_blocks
from rcmon.exposition.lines import blocks, labels
from rcmon.telemetry.metric import Metric
from rcmon.web.answers.cached import Cached
from rcmon.web.answers.ready import Body, Fresh, Kept, Ready
from rcmon.web.api.scrape import ScrapeQuery, Selection, check_agents, choose, families_of
from rcmon.web.board import no_snapshot
from rcmon.web.telemetry.chosen import DOCUMENTS, Choices
from rcmon.web.telemetry.told import OWN_COLLECTORS, PROCESS, TOLD, Seen
from rcmon.web.telemetry.totals import Buckets, Sample, Totals


class Exposition:
    """Makes what a scrape gets, at most ten times a second.

    The snapshot's part is neither rendered nor compressed again.
    """

    def __init__(self, seen: Seen, totals: Totals) -> None:
        self._seen, self._totals = seen, totals
        self._ready = {form: Cached(partial(self._render, form)) for form in MEDIA_TYPES}
        self._own = {form: Cached(partial(self._write, form)) for form in MEDIA_TYPES}
        self._choices = Choices()

    def ready(self, form: Format) -> Ready:
        """Give the exposition in a format; before the first snapshot it is the service's own part alone."""
        return self._ready[form].get(self._seen.board.current)

    async def chosen(self, form: Format, asked: ScrapeQuery) -> Ready:
        """Give what is asked for. Raises Problem 400 for what there is not, 503 without a snapshot."""
        chosen = choose(asked)
        held = self._seen.board.current
        if not chosen.grid:
            families = families_of(asked.collect, OWN_COLLECTORS)
            return _sent(Fresh(self._own_part(form, replace(chosen, families=families))), form)
        if held is None:
            raise no_snapshot()
        index = await held.decoded(keys.METRICS_INDEX, PiecesIndex)
        check_agents(asked.agent, index.agents)
        chosen = replace(
            chosen, families=families_of(asked.collect, {**_collectors(index), **OWN_COLLECTORS})
        )
        whole = chosen.agents is None and chosen.families is None
        document = (
            held.document(DOCUMENTS[form]) if whole else self._choices.document(held, index, form, chosen)
        )
        return _sent(Kept(document, self._own_part(form, chosen)), form)

    def _own_part(self, form: Format, chosen: Selection) -> bytes:
        """Write what is chosen of the service's own families, and the end."""
        own = self._own[form].get(None) if chosen.service else {}
        return b"".join(lines for name, lines in own.items() if chosen.has(name)) + ENDS[form]

    def _write(self, form: Format) -> Mapping[str, bytes]:
        return dict(self._lines(form))

    def _render(self, form: Format) -> Ready:
        own = b"".join(lines for _, lines in self._lines(form)) + ENDS[form]
        held = self._seen.board.current
        return _sent(Kept(held.document(DOCUMENTS[form]), own) if held else Fresh(own), form)

    def _lines(self, form: Format) -> Iterator[tuple[str, bytes]]:
        """Write every family; one without a sample has no head either."""
        for metric, written in self._families():
            if lines := b"".join(written):
                yield metric.name, head(form, metric.name, metric.kind, metric.help) + lines

    def _families(self) -> Iterator[tuple[Metric, Iterator[bytes]]]:
        for told in TOLD:
            yield told.metric, _samples(told.metric, told.read(self._seen))
        for metric in self._totals.layout.table:
            if metric.kind == "histogram":
                yield metric, _histogram(metric, self._totals.histograms(metric))
            else:
                yield metric, _samples(metric, self._totals.samples(metric))
        for told in PROCESS:
            yield told.metric, _samples(told.metric, told.read(self._seen))


def _sent(body: Body, form: Format) -> Ready:
    return Ready(body, MEDIA_TYPES[form], vary="Accept, Accept-Encoding")


def _collectors(index: PiecesIndex) -> Mapping[str, Sequence[str]]:
    """Give the snapshot's families by collector."""
    collectors: dict[str, list[str]] = {}
    for family in index.families:
        collectors.setdefault(family.collector, []).append(family.name)
    return collectors


def _samples(metric: Metric, samples: Iterable[Sample]) -> Iterator[bytes]:
    return blocks(metric.name, ((labels(metric.labels, values), _whole(value)) for values, value in samples))


def _histogram(metric: Metric, series: Iterable[Buckets]) -> Iterator[bytes]:
    for values, counts, total in series:
        yield from histogram_blocks(metric.name, labels(metric.labels, values), metric.bounds, counts, total)


def _whole(value: float | None) -> float | None:
    """Give a count without a fraction."""
    return int(value) if isinstance(value, float) and value.is_integer() else value

"""The figures of all processes together."""

from collections.abc import Callable, Iterator, Mapping

from rcmon.process.scoreboard import Scoreboard
from rcmon.telemetry.layout import Layout
from rcmon.telemetry.metric import Gather, Metric

Sample = tuple[tuple[str, ...], float | None]
"""Label values, in the order of the metric's labels, and the value; None: not known, so no sample."""
Buckets = tuple[tuple[str, ...], list[float], float]
"""Label values, cumulative counts up to each bound and at last all, and the sum."""
_GATHERED: Mapping[Gather, Callable[[list[float]], float]] = {"sum": sum, "least": min, "most": max}


class Totals:
    """Gathers cells over the scoreboard's slots."""

    def __init__(self, layout: Layout, scoreboard: Scoreboard) -> None:
        self.layout, self._scoreboard = layout, scoreboard

    def samples(self, metric: Metric) -> Iterator[Sample]:
        """Gather the series of a counter or gauge."""
        gather = self._gauge if metric.kind == "gauge" else self._counter
        for labels, cell in self.layout.series(metric):
            value = gather(metric, cell)
            if value or not metric.sparse:
                yield labels, value

    def value(self, metric: Metric, *labels: str) -> float | None:
        """Gather one series; None: not known."""
        gather = self._gauge if metric.kind == "gauge" else self._counter
        return gather(metric, self.layout.cell(metric, labels))

    def histograms(self, metric: Metric) -> Iterator[Buckets]:
        """Gather the series of a histogram that took something."""
        for labels, start in self.layout.series(metric):
            total, counts = 0.0, []
            end = start + len(metric.bounds) + 1
            for cell in range(start, end):
                total += self._scoreboard.total(cell)
                counts.append(total)
            if total:
                yield labels, counts, self._scoreboard.total(end)

    def _counter(self, _: Metric, cell: int) -> float:
        return self._scoreboard.total(cell)

    def _gauge(self, metric: Metric, cell: int) -> float | None:
        """Gather what live processes set; a sum of nothing is 0, a least or most of nothing not known."""
        live = (slot.cells for slot in self._scoreboard.slots if slot.pid is not None)
        known = [cells[cell] for cells in live if cells[cell + 1]]
        return _GATHERED[metric.gather](known) if known or metric.gather == "sum" else None

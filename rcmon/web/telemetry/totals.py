"""The figures of all processes together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate, compress

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
        cells = self.layout.cells(metric)
        if metric.kind == "gauge":
            values: Sequence[float | None] = [self._gauge(metric, cell) for cell in cells]
        else:
            values = self._scoreboard.totals(cells.start, cells.stop)
        series = zip(self.layout.series(metric), values, strict=True)
        # of requests there are thousands of series, and few were ever counted
        return compress(series, values) if metric.sparse else series

    def value(self, metric: Metric, *labels: str) -> float | None:
        """Gather one series; None: not known."""
        cell = self.layout.cell(metric, labels)
        if metric.kind == "gauge":
            return self._gauge(metric, cell)
        return self._scoreboard.totals(cell, cell + 1)[0]

    def histograms(self, metric: Metric) -> Iterator[Buckets]:
        """Gather the series of a histogram that took something."""
        cells = self.layout.cells(metric)
        taken = self._scoreboard.totals(cells.start, cells.stop)
        for labels, start in zip(self.layout.series(metric), range(0, len(taken), cells.step), strict=True):
            *buckets, total = taken[start : start + cells.step]
            counts = list(accumulate(buckets))
            if counts[-1]:
                yield labels, counts, total

    def _gauge(self, metric: Metric, cell: int) -> float | None:
        """Gather what live processes set; a sum of nothing is 0, a least or most of nothing not known."""
        live = (slot.cells for slot in self._scoreboard.slots if slot.pid is not None)
        known = [cells[cell] for cells in live if cells[cell + 1]]
        return _GATHERED[metric.gather](known) if known or metric.gather == "sum" else None

"""What one process counts; whoever tells it sums over all processes, dead ones included."""

from bisect import bisect_left

from rcmon.telemetry.layout import Layout
from rcmon.telemetry.metric import Metric


class Tally:
    """The figures of one process, which alone writes them. Labels that no row declares are a ValueError."""

    def __init__(self, layout: Layout, cells: "memoryview[float]") -> None:
        self.layout, self.cells = layout, cells

    def begin(self) -> None:
        """Begin where a predecessor ended: its counts stay, its gauges died with it."""
        for metric in self.layout.table:
            if metric.kind == "gauge":
                for cell in self.layout.cells(metric):
                    self.cells[cell] = self.cells[cell + 1] = 0.0

    def count(self, metric: Metric, *labels: str, by: float = 1.0) -> None:
        """Count something that happened."""
        self.cells[self.layout.cell(metric, labels)] += by

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """Set a gauge."""
        cell = self.layout.cell(metric, labels)
        self.cells[cell] = value
        self.cells[cell + 1] = 1.0

    def change(self, metric: Metric, by: float, *labels: str) -> None:
        """Raise or lower a gauge."""
        cell = self.layout.cell(metric, labels)
        self.cells[cell] += by
        self.cells[cell + 1] = 1.0

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """Take a value into a histogram."""
        self.observe_at(metric, self.layout.cell(metric, labels), value)

    def observe_at(self, metric: Metric, start: int, value: float) -> None:
        """Take a value into the histogram whose cells begin at `start`."""
        bounds, cells = metric.bounds, self.cells
        cells[start + bisect_left(bounds, value)] += 1.0
        cells[start + len(bounds) + 1] += value

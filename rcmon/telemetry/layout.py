"""Where in a process's cells each series of each metric stands."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from rcmon.telemetry.metric import Metric
from rcmon.telemetry.own import OTHER, OWN


class Layout:
    """The cells of all metrics of a table, the same in every process.

    `given` are the values of the labels that get theirs at the start, by the label's name; each gets
    `other` too. A counter takes one cell a series; a gauge two, its value and whether it was set; a histogram
    one a bucket, one above all, and the sum.
    """

    def __init__(self, given: Mapping[str, Sequence[str]], table: Sequence[Metric] = OWN) -> None:
        self.table = tuple(table)
        self.size = 0
        self._values: dict[Metric, tuple[tuple[str, ...], ...]] = {}
        self._cells: dict[tuple[Metric, *tuple[str, ...]], int] = {}
        self._first: dict[Metric, range] = {}
        for metric in self.table:
            begin = self.size
            self._values[metric] = tuple(
                (*given[label], OTHER) if values is None else values
                for label, values in metric.labels.items()
            )
            for values in product(*self._values[metric]):
                self._cells[(metric, *values)] = self.size
                self.size += width(metric)
            self._first[metric] = range(begin, self.size, width(metric))

    def cell(self, metric: Metric, values: tuple[str, ...]) -> int:
        """Find the first cell of a series; a value that is unknown is `other`, where there is such a one.

        Raises ValueError for a value that the row does not declare.
        """
        cell = self._cells.get((metric, *values))
        if cell is not None:
            return cell
        known = self._values[metric]
        taken = tuple(
            value if value in allowed else OTHER for value, allowed in zip(values, known, strict=True)
        )
        cell = self._cells.get((metric, *taken))
        if cell is None:
            raise ValueError(f"{metric.name} has no series {values!r}; its labels have the values {known!r}")
        return cell

    def series(self, metric: Metric) -> Iterator[tuple[str, ...]]:
        """Give the label values of each series, in the order of the row."""
        return product(*self._values[metric])

    def cells(self, metric: Metric) -> range:
        """Give the first cell of each series, in the order of the row; all its cells stand side by side."""
        return self._first[metric]


def width(metric: Metric) -> int:
    """Tell how many cells a series takes."""
    if metric.kind == "histogram":
        return len(metric.bounds) + 2
    return 2 if metric.kind == "gauge" else 1

"""What a metric of the service's own is: one row, from which cells, counting and exposition follow."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

Kind = Literal["counter", "gauge", "histogram", "info"]
Gather = Literal["sum", "least", "most"]
Labels = Mapping[str, tuple[str, ...] | None]
"""Label names in their order, each with all the values it may have.

None: they are given to the `Layout` under the label's name when the service starts (as the routes are), or,
of a metric that is read at the scrape, are whatever is read.
"""
NO_LABELS: Labels = {}


class Metric(Struct, frozen=True, eq=False):
    """One metric family; `kind` is its OpenMetrics type (info is a gauge in text 0.0.4)."""

    name: str
    """As its samples are named: with `_total` or `_info`."""
    kind: Kind
    help: str
    labels: Labels = NO_LABELS
    gather: Gather = "sum"
    """What of a gauge is told where several processes set it."""
    bounds: tuple[float, ...] = ()
    """Upper bounds of a histogram's buckets, inclusive; one above all is added."""
    sparse: bool = False
    """Whether series that never counted are left out; else they begin at 0, so that a rate sees the first."""


def counter(name: str, text: str, labels: Labels = NO_LABELS, *, sparse: bool = False) -> Metric:
    """Declare a counter: `tally.count`."""
    return Metric(name, "counter", text, labels, sparse=sparse)


def gauge(name: str, text: str, labels: Labels = NO_LABELS, gather: Gather = "sum") -> Metric:
    """Declare a gauge: `tally.set` or `tally.change`; it dies with its process."""
    return Metric(name, "gauge", text, labels, gather)


def histogram(name: str, text: str, bounds: tuple[float, ...], labels: Labels = NO_LABELS) -> Metric:
    """Declare a histogram: `tally.observe`. Series without an observation are left out."""
    return Metric(name, "histogram", text, labels, bounds=bounds, sparse=True)


def info(name: str, text: str, *labels: str) -> Metric:
    """Declare facts that are labels of a 1; they are read at the scrape."""
    return Metric(name, "info", text, dict.fromkeys(labels))

"""What a metric family is, in both exposition formats."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from rcmon.exposition.lines import Sample
from rcmon.render.families.view import View


class Family(Struct, frozen=True):
    """One metric family; `kind` is its OpenMetrics type (info is a gauge in text 0.0.4)."""

    name: str
    """As its samples are named: with `_total` or `_info`."""
    kind: str
    labels: tuple[str, ...]
    help: str
    samples: Callable[[View], Iterable[Sample]]


def gauge(
    name: str, labels: tuple[str, ...], description: str, values: Callable[[View], Iterable[Sample]]
) -> Family:
    """Make a gauge."""
    return Family(name, "gauge", labels, description, values)

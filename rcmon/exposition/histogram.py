"""How a series of a histogram is written, the same in both exposition formats."""

from collections.abc import Iterator, Sequence

from rcmon.exposition.lines import blocks, label


def histogram_blocks(
    name: str, series: str, bounds: Sequence[float], counts: Sequence[float], total: float
) -> Iterator[bytes]:
    """Write buckets, count and sum of the series with these labels.

    `bounds` are inclusive; `counts` are cumulative, one a bound and one of all; `total` is the sum of values.
    """
    lead = f"{series}," if series else ""
    edges = (label("le", bound) for bound in (*map(repr, bounds), "+Inf"))
    steps = ((lead + edge, int(count)) for edge, count in zip(edges, counts, strict=True))
    yield from blocks(f"{name}_bucket", steps)
    yield from blocks(f"{name}_count", [(series, int(counts[-1]))])
    yield from blocks(f"{name}_sum", [(series, total)])

"""How samples and their labels are written: without a timestamp, the same in both exposition formats."""

from collections.abc import Iterable, Iterator
from itertools import islice
from math import isfinite

Sample = tuple[str, int | float | None]
"""A series' labels as `labels` writes them, and its value; None: not known, so no sample."""

_BLOCK = 4096
"""Samples joined at once: large enough to be fast, small enough not to hold a family in memory."""

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def label(name: str, value: str | None) -> str:
    """Write one label; an unknown value is an empty one, which Prometheus takes for no label."""
    return f'{name}="{(value or "").translate(_ESCAPES)}"'


def labels(names: Iterable[str], values: Iterable[str | None]) -> str:
    """Write the labels of a series."""
    return ",".join(label(name, value) for name, value in zip(names, values, strict=True))


def blocks(name: str, samples: Iterable[Sample]) -> Iterator[bytes]:
    """Write the samples of one name, a few thousand lines at a time.

    A value that is not known has no line, nor has one that is no number (not finite): JSON shows it as
    null too, so that both say the same.
    """
    lines = (
        f"{name}{{{series}}} {value}\n" if series else f"{name} {value}\n"
        for series, value in samples
        if value is not None and isfinite(value)
    )
    while block := "".join(islice(lines, _BLOCK)):
        yield block.encode()

"""How a sample, its labels and a family's head are written in both exposition formats.

Sources: Prometheus exposition formats (text 0.0.4) and the OpenMetrics 1.0 specification. A sample line
without a timestamp is the same in both; only heads differ.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from math import isfinite

Sample = tuple[str, int | float | None]
"""A series' labels as `labels()` writes them, and its value; None: not known, so no sample."""

_BLOCK = 4096
"""Samples joined at once: large enough to be fast, small enough not to hold a family in memory."""

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def label(name: str, value: str | None) -> str:
    """Write one label; an unknown value is an empty one, which Prometheus takes for no label."""
    return f'{name}="{(value or "").translate(_ESCAPES)}"'


def blocks(name: str, samples: Iterable[Sample]) -> Iterator[bytes]:
    """Write the samples of one name, a few thousand lines at a time.

    A value that is not known has no line, nor has one that is no number (not finite): JSON shows it as
    null too, so that both say the same.
    """
    lines = (
        f"{name}{{{labels}}} {value}\n" if labels else f"{name} {value}\n"
        for labels, value in samples
        if value is not None and isfinite(value)
    )
    while block := "".join(islice(lines, _BLOCK)):
        yield block.encode()


def text_head(name: str, kind: str, description: str) -> bytes:
    """Write a family's head in text 0.0.4, which knows no info type."""
    kind = "gauge" if kind == "info" else kind
    return f"# HELP {name} {description}\n# TYPE {name} {kind}\n".encode()


def openmetrics_head(name: str, kind: str, unit: str, description: str) -> bytes:
    """Write a family's head in OpenMetrics: a counter's or info's family lacks the suffix of its samples."""
    family = name.removesuffix({"counter": "_total", "info": "_info"}.get(kind, ""))
    declared = f"# UNIT {family} {unit}\n" if unit else ""
    return f"# TYPE {family} {kind}\n{declared}# HELP {family} {description}\n".encode()

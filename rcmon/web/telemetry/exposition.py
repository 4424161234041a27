"""The exposition: the snapshot's part as the collector rendered it, with the service's own part appended."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from rcmon.documents import keys
from rcmon.web.answers.cached import Cached
from rcmon.web.answers.negotiation import Format
from rcmon.web.answers.ready import Fresh, Kept, Ready
from rcmon.web.board import Board
from rcmon.web.telemetry.counters import BUCKETS
from rcmon.web.telemetry.families import FAMILIES, Family
from rcmon.web.telemetry.samples import OwnSamples, Sample

MEDIA_TYPES: Mapping[Format, str] = {
    "text": "text/plain; version=0.0.4; charset=utf-8",
    "openmetrics": "application/openmetrics-text; version=1.0.0; charset=utf-8",
}
_KEYS: Mapping[Format, str] = {
    "text": keys.METRICS_TEXT,
    "openmetrics": keys.METRICS_OPENMETRICS,
}
_ENDS: Mapping[Format, str] = {"text": "", "openmetrics": "# EOF\n"}
_BOUNDS = (*map(repr, BUCKETS), "+Inf")
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Exposition:
    """Makes what a scrape gets, at most ten times a second.

    The snapshot's part is neither rendered nor compressed again.
    """

    def __init__(self, board: Board, samples: OwnSamples) -> None:
        self._board, self._samples = board, samples
        self._ready = {form: Cached(partial(self._render, form)) for form in MEDIA_TYPES}

    def ready(self, form: Format) -> Ready:
        """Give the exposition in a format; before the first snapshot it is the service's own part alone."""
        return self._ready[form].get(self._board.current)

    def _render(self, form: Format) -> Ready:
        own = ("".join(self._lines(form)) + _ENDS[form]).encode()
        held = self._board.current
        body = Kept(held.documents[_KEYS[form]], own) if held else Fresh(own)
        return Ready(body, MEDIA_TYPES[form], vary="Accept, Accept-Encoding")

    def _lines(self, form: Format) -> Iterator[str]:
        samples = self._samples.by_family()
        for family in FAMILIES:
            if family.kind == "histogram":
                lines = "".join(_histogram(family, self._samples.counters.durations()))
            else:
                lines = "".join(_samples(family, samples[family.name]))
            if lines:
                yield _head(family, form)
                yield lines


def _head(family: Family, form: Format) -> str:
    """Write a family's head: OpenMetrics leaves out the suffix of its samples, text 0.0.4 knows no info."""
    if form == "text":
        kind = "gauge" if family.kind == "info" else family.kind
        return f"# HELP {family.name} {family.help}\n# TYPE {family.name} {kind}\n"
    name = family.name.removesuffix("_total").removesuffix("_info")
    unit = f"# UNIT {name} {family.unit}\n" if family.unit else ""
    return f"# TYPE {name} {family.kind}\n{unit}# HELP {name} {family.help}\n"


def _samples(family: Family, samples: Iterable[Sample]) -> Iterator[str]:
    for values, value in samples:
        if value is not None:
            yield f"{family.name}{_braces(family.labels, values)} {_number(value)}\n"


def _histogram(family: Family, series: Iterable[tuple[str, list[float], float]]) -> Iterator[str]:
    """Write a histogram by one label: cumulative buckets, count and sum."""
    (label,) = family.labels
    for value, counts, total in series:
        labels = f'{label}="{value.translate(_ESCAPES)}"'
        for bound, count in zip(_BOUNDS, counts, strict=True):
            yield f'{family.name}_bucket{{{labels},le="{bound}"}} {_number(count)}\n'
        yield f"{family.name}_count{{{labels}}} {_number(counts[-1])}\n"
        yield f"{family.name}_sum{{{labels}}} {_number(total)}\n"


def _braces(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    if not names:
        return ""
    pairs = zip(names, values, strict=True)
    return "{" + ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in pairs) + "}"


def _number(value: float) -> str:
    """Write a count without a fraction, whatever else as Python does, which both formats read."""
    return str(int(value)) if value == int(value) else repr(value)

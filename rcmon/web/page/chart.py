"""A site's jobs over time beside the slots for them: its chart, the picture without a script, its table."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

from msgspec import Struct

from rcmon.documents.shapes import SiteShape
from rcmon.model import known_sum
from rcmon.timestamps import iso, moment
from rcmon.web.api.past import Part
from rcmon.web.api.stepped import Stepped

Range = Literal["1h", "6h", "1d", "1w", "30d", "1y"]
RANGES: tuple[Range, ...] = get_args(Range)


class Scale(Struct, frozen=True):
    """How a range is looked at; seconds."""

    words: str
    length: int
    coarse: int
    """Between two rows of the table."""
    fine: int
    """Between two points of the chart."""


SCALES: Mapping[str, Scale] = {
    "1h": Scale("1 hour", 3600, 300, 60),
    "6h": Scale("6 hours", 6 * 3600, 900, 120),
    "1d": Scale("1 day", 86400, 3600, 300),
    "1w": Scale("1 week", 7 * 86400, 6 * 3600, 1800),
    "30d": Scale("30 days", 30 * 86400, 86400, 2 * 3600),
    "1y": Scale("1 year", 365 * 86400, 14 * 86400, 86400),
}
WIDTH, HEIGHT = 600, 120
"""Of the picture, in its own units."""


class JobsThen(Struct, frozen=True):
    """What held at one time, over the agents that are looked at; None: not known, or not kept."""

    time: str | None
    running: int | None
    running_slots: int | None
    pending: int | None
    pending_slots: int | None

    @property
    def known(self) -> bool:
        """Tell whether anything is."""
        return (self.running, self.running_slots, self.pending, self.pending_slots) != (None,) * 4


class Picture(Struct, frozen=True):
    """One drawing: jobs as an area, the slots for them as a line. Gaps are where nothing is known."""

    name: str
    """running or pending."""
    area: str
    """Paths, as SVG writes them."""
    line: str
    top: int
    """What its upper edge stands for; 0: nothing is known."""


def part_of(asked: Range, until: float) -> Part:
    """Give the part of history that a range's table is made of."""
    scale = SCALES[asked]
    return Part(until - scale.length, until, scale.coarse)


def moments(found: Stepped, task: str) -> Sequence[JobsThen]:
    """Sum agents up at each time, oldest first."""
    slots = "max_slots" if task else "running_slots"
    names = ("running_jobs", slots, "pending_jobs", "pending_slots")
    columns = [_summed(found.series.values(), name) for name in names]
    if not found.series:  # nothing at all is kept
        columns = [[None] * len(found.times)] * len(names)
    return [JobsThen(iso(time), *values) for time, *values in zip(found.times, *columns, strict=True)]


def newest(site: SiteShape, time: float, agent: str, task: str) -> JobsThen:
    """Give what holds at the moment itself, which stands behind the last step."""
    agents = [one for name, one in site.agents.items() if agent in ("", name)]
    if not task:
        shown = [(one.running_jobs, one.running_slots, one.pending_jobs, one.pending_slots) for one in agents]
    else:
        found = [one.tasks[task] for one in agents if one.tasks is not None and task in one.tasks]
        shown = [(one.running_jobs, one.max_slots, one.pending_jobs, one.pending_slots) for one in found]
    return JobsThen(iso(time), *(known_sum(values[place] for values in shown) for place in range(4)))


def _summed(series: Iterable[Sequence[Any]], name: str) -> Sequence[int | None]:
    every = [[getattr(point, name) for point in points] for points in series]
    return [known_sum(values) for values in zip(*every, strict=True)]


def pictures(found: Sequence[JobsThen], part: Part) -> Sequence[Picture]:
    """Draw both."""
    if not any(one.known for one in found):
        return ()
    return [
        _picture("running", found, part, lambda one: (one.running, one.running_slots)),
        _picture("pending", found, part, lambda one: (one.pending, one.pending_slots)),
    ]


Values = Callable[[JobsThen], tuple[int | None, int | None]]
Run = list[tuple[float, float]]


def _picture(name: str, found: Sequence[JobsThen], part: Part, values: Values) -> Picture:
    """Draw jobs and slots."""
    known = [value for one in found for value in values(one) if value is not None]
    top = nice(max(known, default=0))
    jobs, slots = ([values(one)[place] for one in found] for place in range(2))
    across = WIDTH / (part.until - part.since)
    lefts = [round(((moment(one.time or "") or part.since) - part.since) * across, 1) for one in found]
    area = "".join(_area(run) for run in _runs(lefts, jobs, top))
    line = "".join(_line(run) for run in _runs(lefts, slots, top))
    return Picture(name, area, line, top)


def _runs(lefts: Sequence[float], values: Sequence[int | None], top: int) -> Iterator[Run]:
    """Give what is known without a gap."""
    run: Run = []
    for left, value in zip(lefts, values, strict=True):
        if value is not None:
            run.append((left, round(HEIGHT - HEIGHT * value / top, 1) if top else float(HEIGHT)))
        elif run:
            yield run
            run = []
    if run:
        yield run


def nice(most: int) -> int:
    """Give a round number that is no less: the upper edge of a chart."""
    if most <= 0:
        return 0
    size: int = 10 ** (len(str(most)) - 1)
    return next(
        size * step // 2
        for step in (2, 3, 4, 6, 8, 10, 12, 16, 20)
        if size * step >= 2 * most and size * step % 2 == 0
    )


def _line(run: Sequence[tuple[float, float]]) -> str:
    """Draw steps: a value holds until the next."""
    (x, y), *rest = run
    return (
        f"M{x:g} {y:g}" + "".join(f"H{right:g}V{height:g}" for right, height in rest) + ("" if rest else "h1")
    )


def _area(run: Sequence[tuple[float, float]]) -> str:
    return f"{_line(run)}V{HEIGHT}H{run[0][0]:g}Z"

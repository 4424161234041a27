"""How history is asked for and written: one point per step, by agent and by task type."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, field

from rcmon.model import GridPoint, HistoryRow, TaskPoint
from rcmon.store.steps import Values
from rcmon.timestamps import iso, milliseconds
from rcmon.web.answers.problems import Problem
from rcmon.web.api.query import Moment, Pretty
from rcmon.web.api.times import read_time

DAY = 86400.0
_PAST = "a time that is past"
MOST = 10_000
CHANGES = 1000
"""How many an answer has at most where nothing else is asked for."""
UNITS: Mapping[str, int] = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
Step = Annotated[
    str,
    Meta(
        pattern=r"^[1-9][0-9]{0,7}[smhd]?$(?!\n)",
        description="a distance such as 300, 5m, 1h or 1d: one point for each, what held then",
    ),
]
Task = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]{1,256}$(?!\n)", description="a task type's name")]
_NOTHING: Mapping[str, None] = dict.fromkeys(
    ("state", "running_slots", "pending_slots", "running_jobs", "pending_jobs")
)
_NO_TASK: Mapping[str, None] = dict.fromkeys(("running_jobs", "pending_jobs", "max_slots", "pending_slots"))


class PastQuery(Pretty, frozen=True, kw_only=True):
    """Which part of history; without times it is the last day's."""

    from_: Moment = ""
    to: Moment = ""
    step: Step = ""
    task: Task = ""
    limit: Annotated[int, Meta(ge=1, le=MOST)] | None = None

    @property
    def most(self) -> int:
        """How many changes one answer has at most."""
        return CHANGES if self.limit is None else self.limit


class Part(Struct, frozen=True):
    """A part of history; times in seconds since the epoch."""

    since: float
    until: float
    step: int
    """0: every change."""

    def times(self) -> Iterator[int]:
        """Give the step times within it: the multiples of the step since the epoch."""
        first = math.ceil(self.since / self.step) * self.step
        return iter(range(first, math.floor(self.until) + 1, self.step))


def read_part(asked: PastQuery, now: float) -> Part:
    """Read which part is asked for: what is yet to come is no part of it. Raises Problem 400."""
    until = read_time("to", asked.to)
    until = now if until is None else min(until, now)
    since = read_time("from", asked.from_)
    since = until - DAY if since is None else since
    if milliseconds(since) > milliseconds(now):
        detail = f"Parameter 'from' has the value {asked.from_!r}, which is yet to come; allowed is {_PAST}."
        raise Problem(400, detail, parameter="from", value=asked.from_, allowed=_PAST)
    until = max(until, since) if milliseconds(since) == milliseconds(now) else until
    if since > until:
        detail = "Parameter 'from' is later than 'to'; allowed is an earlier time."
        raise Problem(400, detail, parameter="from", value=asked.from_, allowed="a time before 'to'")
    digits = asked.step.rstrip("smhd")
    step = int(digits or 0) * UNITS[asked.step[len(digits) :]]
    if step and (until - since) / step > MOST:
        detail = f"Parameter 'step' has the value {asked.step!r}; allowed are at most {MOST} steps."
        raise Problem(400, detail, parameter="step", value=asked.step, allowed=f"at most {MOST} steps")
    if step and asked.limit is not None:  # pages are of changes; every step is in the one answer
        detail = "Parameter 'limit' is not for steps; allowed is either 'limit' or 'step'."
        raise Problem(400, detail, parameter="limit", value=str(asked.limit), allowed="no 'step' beside it")
    return Part(since, until, step)


def site_point(row: HistoryRow | None, time: float, task: str) -> dict[str, Any]:
    """Write a point of a site, or of one of its task types; all null: the site was not there, or unknown."""
    if task:
        found = next((one for one in (row.tasks if row else None) or () if one.task == task), None)
        return {"time": iso(time), **(_NO_TASK if found is None else _task(found))}
    if row is None:
        return {"time": iso(time), **_NOTHING}
    return {"time": iso(time), **{name: getattr(row, name) for name in _NOTHING}}


class SiteStep(Struct, frozen=True, gc=False):
    """What a site was in one agent at a step's time; all null: it was not there, or nothing is known."""

    time: str | None
    state: str | None
    running_slots: int | None
    pending_slots: int | None
    running_jobs: int | None
    pending_jobs: int | None


class TaskStep(Struct, frozen=True, gc=False):
    """The same of one of its task types."""

    time: str | None
    running_jobs: int | None
    pending_jobs: int | None
    max_slots: int | None
    pending_slots: int | None


def site_steps(
    values: Values, told: Sequence[str | None], task: str
) -> Sequence[SiteStep] | Sequence[TaskStep]:
    """Write what held at moments, whose times are given as they are told."""
    return list(map(TaskStep, told, *values)) if task else list(map(SiteStep, told, *values))


def grid_point(point: GridPoint | None, time: float, task: str) -> dict[str, Any]:
    """Write a point of the whole grid, or of one of its task types; all null: nothing is kept of then."""
    if task:
        found = next((one for one in (point.tasks if point else ()) if one.task == task), None)
        return {"time": iso(time), **(_NO_TASK if found is None else _task(found))}
    names = ("sites", *(name for name in _NOTHING if name != "state"))
    return {"time": iso(time), **{name: point and getattr(point, name) for name in names}}


def _task(point: TaskPoint) -> dict[str, Any]:
    return {name: getattr(point, name) for name in _NO_TASK}


class PointShape(Struct, frozen=True):
    """One point of a history, as it is documented: what is not asked for is not there."""

    time: str
    sites: Mapping[str, int] | UnsetType | None = UNSET
    """How many there were by state."""
    state: str | UnsetType | None = UNSET
    running_slots: int | UnsetType | None = UNSET
    pending_slots: int | UnsetType | None = UNSET
    running_jobs: int | UnsetType | None = UNSET
    pending_jobs: int | UnsetType | None = UNSET
    max_slots: int | UnsetType | None = UNSET


class SeriesShape(Struct, frozen=True):
    """One site in one agent over time."""

    agent: str
    points: Sequence[PointShape]


class SiteHistoryDocument(Struct, frozen=True):
    """One site over time, as it is documented."""

    timestamp: str | None
    site: str
    from_: str = field(name="from")
    to: str
    resolution: int
    """Seconds that may lie between what is kept there; 0: every change is."""
    count: int
    """How many points are in it, of all series."""
    total: int
    """How many there are from its `from` to its `to`: a later page has fewer before it."""
    next: str | None
    series: Sequence[SeriesShape]


class HistoryDocument(Struct, frozen=True):
    """All sites together over time, as it is documented."""

    timestamp: str | None
    from_: str = field(name="from")
    to: str
    resolution: int
    count: int
    total: int
    """How many there are from its `from` to its `to`: a later page has fewer before it."""
    next: str | None
    points: Sequence[PointShape]

"""Expected beside actual at a site: what each agent has, and what WMCore's updater would give."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from rcmon.documents.drift import AgentPairs, DriftShape, TaskPairs, ValuePair
from rcmon.documents.shapes import SiteShape
from rcmon.web.page.overview import number


class Beside(Struct, frozen=True):
    """One value, or two that belong together."""

    actual: str
    expected: str | None
    """None: nothing is expected, or it is not known."""
    differs: bool


class AgentBeside(Struct, frozen=True):
    """One agent's values."""

    agent: str
    values: Sequence[Beside]
    """State, running and pending slots, then each of the task types."""
    note: str | None
    """What is not known, so that something cannot be expected."""


class Differing(Struct, frozen=True):
    """Values that differ for one reason."""

    agent: str
    what: str
    reason: str
    detail: str


def beside(pairs: Mapping[str, AgentPairs]) -> tuple[Sequence[str], Sequence[AgentBeside]]:
    """Name the task types, and give each agent's values in their order."""
    tasks = sorted({task for one in pairs.values() for task in one.tasks})
    return tasks, [_row(name, one, tasks) for name, one in pairs.items()]


def actual_alone(site: SiteShape) -> Mapping[str, AgentPairs]:
    """Give what agents had at a moment of which nothing is known to have been expected."""
    return {
        name: AgentPairs(
            ValuePair(None, one.state),
            ValuePair(None, one.running_slots),
            ValuePair(None, one.pending_slots),
            {
                task: TaskPairs(ValuePair(None, shape.max_slots), ValuePair(None, shape.pending_slots))
                for task, shape in (one.tasks or {}).items()
            },
            None,
            None,
            None,
        )
        for name, one in site.agents.items()
    }


def differing(drifts: Iterable[DriftShape]) -> Sequence[Differing]:
    """Put values together that differ for one reason."""
    found: dict[tuple[str, str, str], list[DriftShape]] = {}
    for one in drifts:
        found.setdefault((one.agent, one.reason, one.detail), []).append(one)
    return [
        Differing(agent, "; ".join(map(_difference, same)), reason, detail)
        for (agent, reason, detail), same in found.items()
    ]


def _difference(one: DriftShape) -> str:
    what = one.what.replace("_", " ")
    named = f"{one.task} {what}" if one.task else what
    return f"{named} {_value(one.actual)}, expected {_value(one.expected)}"


def _row(agent: str, told: AgentPairs, tasks: Sequence[str]) -> AgentBeside:
    own = [_one(told.state), _one(told.running_slots), _one(told.pending_slots)]
    return AgentBeside(agent, [*own, *(_two(told.tasks.get(task)) for task in tasks)], told.missing)


def _one(pair: ValuePair) -> Beside:
    expected = None if pair.expected is None else _value(pair.expected)
    return Beside(_value(pair.actual), expected, expected is not None and pair.expected != pair.actual)


def _two(pairs: TaskPairs | None) -> Beside:
    if pairs is None:
        return Beside("none", None, differs=False)
    both = (pairs.max_slots, pairs.pending_slots)
    differs = any(pair.expected is not None and pair.expected != pair.actual for pair in both)
    expected = " · ".join(_value(pair.expected) for pair in both)
    known = any(pair.expected is not None for pair in both)
    return Beside(" · ".join(_value(pair.actual) for pair in both), expected if known else None, differs)


def _value(value: int | str | None) -> str:
    return "unknown" if value is None else value if isinstance(value, str) else number(value)

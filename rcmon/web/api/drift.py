"""What differs from what is expected, as it is asked for."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct, json

from rcmon.documents.drift import AgentPairs, DriftShape, TaskPairs, ValuePair
from rcmon.model import AgentExpected, Drift, DriftCell
from rcmon.web.api.cursor import Cursor, Place
from rcmon.web.api.query import AgentGlob, Many, Pretty, SiteGlob, TaskGlob
from rcmon.web.api.site_query import matcher

MOST = 10_000
Reason = Literal[
    "missing_input", "stale_input", "stuck_max", "no_threshold", "floor",
    "ghost_agent", "forced_down", "manual", "awaited", "unexplained",
]  # fmt: skip


class DriftQuery(Pretty, frozen=True, kw_only=True):
    """What is asked of the values that differ. Lists are alternatives, different parameters must all hold."""

    site: Many[SiteGlob] = ()
    agent: Many[AgentGlob] = ()
    task: Many[TaskGlob] = ()
    reason: Many[Reason] = ()
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 1000
    cursor: Cursor = ""


class _Threshold(Struct, frozen=True):
    max_slots: int | None
    pending_slots: int | None


class _HeldSite(Struct, frozen=True):
    state: str | None
    running_slots: int | None
    pending_slots: int | None
    tasks: dict[str, _Threshold]


class _HeldSites(Struct, frozen=True):
    """What a site's document says of its thresholds."""

    agents: dict[str, _HeldSite]


Chosen = tuple[Drift, tuple[DriftCell, ...]]


def choose(drifts: Iterable[Drift], wanted: DriftQuery) -> Iterator[Chosen]:
    """Pick the values that a query wants, as they come."""
    site, agent, task = matcher(wanted.site), matcher(wanted.agent), matcher(wanted.task)
    for drift in drifts:
        if wanted.reason and drift.reason not in wanted.reason:
            continue
        if wanted.agent and not agent(drift.agent):
            continue
        if wanted.site and (drift.site is None or not site(drift.site)):
            continue
        cells = drift.cells
        if wanted.task:
            cells = tuple(cell for cell in cells if cell.task is not None and task(cell.task))
        if cells:
            yield drift, cells


def place_of(drift: Drift) -> Place:
    """Tell where it stands in the list."""
    return drift.agent, drift.site or ""


def shaped(chosen: Chosen) -> list[DriftShape]:
    """Write a group's values one by one."""
    drift, cells = chosen
    return [
        DriftShape(
            drift.agent,
            drift.site,
            cell.task,
            cell.what,
            cell.expected,
            cell.actual,
            drift.reason,
            drift.detail,
        )
        for cell in cells
    ]


def pairs(document: bytes, site: str, expected: dict[str, AgentExpected]) -> dict[str, AgentPairs]:
    """Put what should be at a site beside what its document says is, by agent."""
    held = json.decode(document, type=_HeldSites)
    return {name: _pairs(seen, site, expected.get(name)) for name, seen in held.agents.items()}


def _pairs(held: _HeldSite, site: str, about: AgentExpected | None) -> AgentPairs:
    want = None if about is None else about.sites.get(site)
    tasks = {}
    for name, threshold in held.tasks.items():
        most, pending = (want.task(name) if want else None) or (None, None)
        tasks[name] = TaskPairs(
            ValuePair(most, threshold.max_slots), ValuePair(pending, threshold.pending_slots)
        )
    return AgentPairs(
        state=ValuePair(want.state if want else None, held.state),
        running_slots=ValuePair(want.running_slots if want else None, held.running_slots),
        pending_slots=ValuePair(want.pending_slots if want else None, held.pending_slots),
        tasks=tasks,
        team=about.team if about else None,
        agents_in_team=about.agents if about else None,
        missing=about.missing if about else "nothing is expected of this agent",
    )

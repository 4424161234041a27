"""A snapshot as the exposition needs it: agent by agent, its objects with their labels written once.

Labels are made of names in the agents' databases. Names are unique at each level by construction
(mappings), except those of components, workers, sources and findings: these are brought together here,
so that no series can occur twice.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from rcmon.exposition.lines import label
from rcmon.model import (
    Agent,
    AgentExpected,
    AgentReport,
    AgentSite,
    Component,
    Drift,
    Forecast,
    Jobs,
    Place,
    Snapshot,
    SourceState,
    Task,
    Worker,
)
from rcmon.rules.judging import Places, judge


class WorkerSeries(Struct, frozen=True):
    """The workers of one name in one component of one agent: the worst of them speaks."""

    last_updated: float | None
    poll_interval: float | None
    cycle_time: float | None
    well: bool


class View(Struct, frozen=True):
    """One agent's objects, each with its labels; or, without an agent, what is of no single one."""

    snapshot: Snapshot
    agents: Sequence[tuple[str, Agent]] = ()
    """The agent, where it is polled."""
    sites: Sequence[tuple[str, AgentSite, Jobs]] = ()
    tasks: Sequence[tuple[str, Task]] = ()
    components: Mapping[str, float] = {}
    """Shortest heartbeat timeout by labels."""
    workers: Mapping[str, WorkerSeries] = {}
    sources: Mapping[str, SourceState] = {}
    issues: Mapping[str, int] = {}
    """Count of findings' subjects by labels."""
    places: Mapping[str, Place] = {}
    """What the agent lets in and submits, by site."""
    labels: str = ""
    """The agent's own."""
    report: AgentReport | None = None
    expected: AgentExpected | None = None
    drift: Sequence[Drift] = ()
    forecast: Forecast | None = None
    zeros: bool = True
    """Whether task types without jobs have samples that say so."""

    def places_labelled(self) -> Iterator[tuple[str, Place]]:
        """Give each site with its labels."""
        # both are in the order of the agent's sites
        return (
            (labels, place) for (labels, _, _), place in zip(self.sites, self.places.values(), strict=True)
        )


class Views(Struct, frozen=True):
    """A snapshot, taken apart."""

    agents: Mapping[str, View]
    """By name, sorted: of every agent that something is known of, polled or not."""
    common: View
    """What is of no single agent."""
    places: Places
    """What all agents let in and submit."""


def views(snapshot: Snapshot, *, zeros: bool = True) -> Views:
    """Write the labels of everything in the snapshot; `zeros` as in `View`."""
    places, issues = judge(snapshot), _issues(snapshot)
    reports = snapshot.upstream().reports or {}
    drifts: dict[str, list[Drift]] = {}
    for drift in snapshot.drift:
        drifts.setdefault(drift.agent, []).append(drift)
    made = {}
    of_agents = [name for name in issues if name is not None]
    for name in sorted({*snapshot.agents, *snapshot.expected, *snapshot.forecasts, *reports, *of_agents}):
        made[name] = View(
            snapshot,
            issues=issues.get(name, {}),
            labels=label("agent", name),
            report=reports.get(name),
            expected=snapshot.expected.get(name),
            drift=drifts.get(name, ()),
            forecast=snapshot.forecasts.get(name),
            zeros=zeros,
            **(_polled(snapshot.agents[name], name, places[name]) if name in snapshot.agents else {}),
        )
    sources = {
        f"{label('source', source.name)},{label('kind', source.kind)}": source for source in snapshot.sources
    }
    return Views(made, View(snapshot, sources=sources, issues=issues.get(None, {})), places)


def _polled(agent: Agent, name: str, places: Mapping[str, Place]) -> dict[str, Any]:
    """Give what a view has of an agent that is polled."""
    own = label("agent", name)
    labelled = [(own, agent)]
    sites = [(f"{own},{label('site', site)}", seen, seen.jobs) for site, seen in agent.sites.items()]
    names = {task: label("task", task) for task in {task for _, site, _ in sites for task in site.tasks}}
    return {
        "agents": labelled,
        "sites": sites,
        "tasks": [
            (f"{labels},{names[task]}", seen)
            for labels, site, _ in sites
            for task, seen in site.tasks.items()
        ],
        "components": _components(labelled),
        "workers": _workers(labelled),
        "places": places,
    }


def _named_components(agents: Iterable[tuple[str, Agent]]) -> Iterable[tuple[str, Component]]:
    for labels, agent in agents:
        for component in agent.components or ():
            yield f"{labels},{label('component', component.name)}", component


def _components(agents: Iterable[tuple[str, Agent]]) -> dict[str, float]:
    timeouts: dict[str, float] = {}
    for labels, component in _named_components(agents):
        timeouts[labels] = min(timeouts.get(labels, component.update_threshold), component.update_threshold)
    return timeouts


def _workers(agents: Iterable[tuple[str, Agent]]) -> dict[str, WorkerSeries]:
    same: dict[str, list[Worker]] = {}
    for labels, component in _named_components(agents):
        for worker in component.workers:
            same.setdefault(f"{labels},{label('worker', worker.name)}", []).append(worker)
    return {
        labels: WorkerSeries(
            min((w.last_updated for w in workers if w.last_updated is not None), default=None),
            max((w.poll_interval for w in workers if w.poll_interval is not None), default=None),
            max((w.cycle_time for w in workers if w.cycle_time is not None), default=None),
            all(w.problem is None for w in workers),
        )
        for labels, workers in same.items()
    }


def _issues(snapshot: Snapshot) -> dict[str | None, dict[str, int]]:
    """Count by agent, None for what is of all, and labels."""
    issues: dict[str | None, dict[str, int]] = {}
    for finding in snapshot.findings:
        labels = ",".join(
            [
                label("agent", finding.agent),
                label("kind", finding.kind),
                label("severity", finding.severity),
            ]
        )
        of_agent = issues.setdefault(finding.agent, {})
        of_agent[labels] = of_agent.get(labels, 0) + finding.count
    return issues

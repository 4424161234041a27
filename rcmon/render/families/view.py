"""A snapshot as the exposition needs it: its objects with their labels written once.

Labels are made of names in the agents' databases. Names are unique at each level by construction
(mappings), except those of components, workers, sources and findings: these are brought together here,
so that no series can occur twice.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from rcmon.exposition.lines import label
from rcmon.model import Agent, AgentSite, Component, Jobs, Place, Snapshot, SourceState, Task, Worker
from rcmon.rules.judging import Places, judge


class WorkerSeries(Struct, frozen=True):
    """The workers of one name in one component of one agent: the worst of them speaks."""

    last_updated: float | None
    poll_interval: float | None
    cycle_time: float | None
    well: bool


class View(Struct, frozen=True):
    """Each object with its labels."""

    snapshot: Snapshot
    agents: list[tuple[str, Agent]]
    sites: list[tuple[str, AgentSite, Jobs]]
    tasks: list[tuple[str, Task]]
    components: dict[str, float]
    """Shortest heartbeat timeout by labels."""
    workers: dict[str, WorkerSeries]
    sources: dict[str, SourceState]
    issues: dict[str, int]
    """Count of findings' subjects by labels."""
    places: Places
    """What the agents let in and submit."""

    def places_labelled(self) -> Iterator[tuple[str, Place]]:
        """Give each site of each agent with its labels."""
        of_agents = (place for of_agent in self.places.values() for place in of_agent.values())
        # both are in the order of the snapshot's agents and their sites
        return ((labels, place) for (labels, _, _), place in zip(self.sites, of_agents, strict=True))


def view(snapshot: Snapshot) -> View:
    """Write the labels of everything in the snapshot."""
    agents = [(label("agent", name), agent) for name, agent in snapshot.agents.items()]
    sites = [
        (f"{labels},{label('site', name)}", site, site.jobs)
        for labels, agent in agents
        for name, site in agent.sites.items()
    ]
    names = {name: label("task", name) for name in {name for _, site, _ in sites for name in site.tasks}}
    return View(
        snapshot,
        agents,
        sites,
        [(f"{labels},{names[name]}", task) for labels, site, _ in sites for name, task in site.tasks.items()],
        _components(agents),
        _workers(agents),
        {
            f"{label('source', source.name)},{label('kind', source.kind)}": source
            for source in snapshot.sources
        },
        _issues(snapshot),
        judge(snapshot),
    )


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


def _issues(snapshot: Snapshot) -> dict[str, int]:
    issues: dict[str, int] = {}
    for finding in snapshot.findings:
        labels = ",".join(
            [
                label("agent", finding.agent),
                label("kind", finding.kind),
                label("severity", finding.severity),
            ]
        )
        issues[labels] = issues.get(labels, 0) + finding.count
    return issues

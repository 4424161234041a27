"""Sites and agents as they were at a past moment: today's documents, null where history does not tell."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from rcmon.documents.shapes import (
    AgentDocument,
    AgentsDocument,
    AgentShort,
    AgentSiteShape,
    BatchJobs,
    Health,
    JobCounts,
    KnownJobs,
    SiteEntry,
    SiteShape,
    SiteThen,
    TaskShape,
)
from rcmon.model import HistoryRow, TaskPoint, known_sum, tier
from rcmon.rules.then import AgentThen
from rcmon.timestamps import iso
from rcmon.web.api.then import PastGrid

OF_SITES = (
    "jobs in error, complete or in a status that is unknown",
    "state_time, cms_name, plugin, pnns and backlog of a site",
    "priorities of task types and of workflows",
    "when each agent was polled",
)
OF_AGENTS = (
    "hostname and team of an agent, its workers, its jobs by state, batch status or task type, its report",
    "jobs in error, complete or in a status that is unknown",
    "findings, expected thresholds and forecasts",
    "when each agent was polled",
)
"""What history does not tell, in words."""


def site_then(name: str, world: PastGrid) -> SiteThen:
    """Give one site, which was there."""
    site = _site(name, world.rows)
    return SiteThen(*msgspec.structs.astuple(site), timestamp=iso(world.time), past=world.told(OF_SITES))


def entries_then(world: PastGrid) -> list[SiteEntry]:
    """Give all sites as a list has them, each with its document."""
    encoder = msgspec.json.Encoder()
    sites = (_site(name, rows) for name, rows in world.by_site().items())
    return [_entry(site, encoder.encode(site)) for site in sites]


def agents_then(world: PastGrid) -> AgentsDocument:
    """Give all agents in short."""
    by_agent = world.by_agent()
    agents = [_short(name, world.agents[name], rows) for name, rows in by_agent.items()]
    return AgentsDocument(iso(world.time), len(agents), len(agents), None, agents, world.told(OF_AGENTS))


def agent_then(name: str, world: PastGrid) -> AgentDocument | None:
    """Give one agent; None: it was not there."""
    agent = world.agents.get(name)
    if agent is None:
        return None
    rows = world.by_agent()[name]
    return AgentDocument(
        name=name,
        hostname=None,
        version=agent.version,
        timestamp=iso(world.time),
        as_of=None,
        stale=None,
        drain=agent.drain,
        health=Health(_status(agent), agent.down_components or (), None),
        workers=None,
        sites=len(rows),
        jobs=_jobs(rows),
        jobs_by_state=None,
        batch_jobs=BatchJobs(None, None),
        created_by_task=None,
        executing_by_task=None,
        findings=None,
        source=None,
        past=world.told(OF_AGENTS),
    )


def _site(name: str, rows: Iterable[HistoryRow]) -> SiteShape:
    """Put a site together over the agents that had it."""
    seen = {row.agent: row for row in rows}
    states: dict[str, list[str]] = {}
    for agent, row in seen.items():
        if row.state is not None:
            states.setdefault(row.state, []).append(agent)
    jobs = _jobs(seen.values())
    return SiteShape(
        name=name,
        tier=tier(name),
        state=next(iter(states)) if len(states) == 1 else None,
        states={state: states[state] for state in sorted(states)},
        running_slots=known_sum(row.running_slots for row in seen.values()),
        pending_slots=known_sum(row.pending_slots for row in seen.values()),
        running_jobs=jobs.running,
        pending_jobs=jobs.pending,
        jobs=jobs,
        agents={agent: _agent_site(row) for agent, row in seen.items()},
    )


def _entry(site: SiteShape, document: bytes) -> SiteEntry:
    return SiteEntry(
        name=site.name,
        tier=site.tier,
        state=site.state,
        states={state: tuple(agents) for state, agents in site.states.items()},
        agents=tuple(site.agents),
        running_slots=site.running_slots,
        pending_slots=site.pending_slots,
        jobs=KnownJobs(site.jobs.pending, site.jobs.running, None, None, None),
        document=document,
    )


def _agent_site(row: HistoryRow) -> AgentSiteShape:
    return AgentSiteShape(
        state=row.state,
        state_time=None,
        cms_name=None,
        plugin=None,
        pnns=None,
        running_slots=row.running_slots,
        pending_slots=row.pending_slots,
        running_jobs=row.running_jobs,
        pending_jobs=row.pending_jobs,
        jobs=JobCounts(row.pending_jobs, row.running_jobs, None, None, None),
        tasks=None if row.tasks is None else _tasks(row.tasks),
        backlog=None,
        as_of=None,
        stale=None,
    )


def _tasks(points: Sequence[TaskPoint]) -> Mapping[str, TaskShape]:
    return {
        point.task: TaskShape(
            point.max_slots,
            point.pending_slots,
            None,
            point.pending_jobs,
            point.running_jobs,
            None,
            None,
            None,
            None,
        )
        for point in points
    }


def _short(name: str, agent: AgentThen, rows: Sequence[HistoryRow]) -> AgentShort:
    return AgentShort(
        name=name,
        hostname=None,
        version=agent.version,
        status=_status(agent),
        down_components=agent.down_components or (),
        drain=agent.drain,
        as_of=None,
        stale=None,
        sites=len(rows),
        jobs=_jobs(rows),
        findings=None,
        warnings=None,
    )


def _status(agent: AgentThen) -> str:
    """Conclude the health: from the components that were down, and those alone."""
    if agent.down_components is None:
        return "unknown"
    return "down" if agent.down_components else "ok"


def _jobs(rows: Iterable[HistoryRow]) -> JobCounts:
    seen = list(rows)
    pending = known_sum(row.pending_jobs for row in seen)
    return JobCounts(pending, known_sum(row.running_jobs for row in seen), None, None, None)

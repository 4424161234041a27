"""Made-up snapshots of any size, the same for the same arguments."""

from collections.abc import Mapping
from random import Random

from rcmon.model import (
    JOB_STATES,
    Agent,
    AgentSite,
    Component,
    Finding,
    Jobs,
    Site,
    Snapshot,
    SourceState,
    SubmitterSettings,
    Task,
    Worker,
)

START = 1_767_268_800.25
TASKS = {
    "Production": 0,
    "Processing": 0,
    "Merge": 4,
    "Cleanup": 1,
    "Harvesting": 5,
    "LogCollect": 2,
    "Skim": 3,
}
STATUSES = ("New", "Idle", "Running", "Held", "Completed", "Removed", "TransferOutput", "Unknown", "Timeout")
COMPONENTS = (
    "AgentStatusWatcher",
    "AgentWatchdog",
    "AnalyticsDataCollector",
    "ArchiveDataReporter",
    "DBS3Upload",
    "ErrorHandler",
    "JobAccountant",
    "JobArchiver",
    "JobCreator",
    "JobStatusLite",
    "JobSubmitter",
    "JobTracker",
    "JobUpdater",
    "RetryManager",
    "RucioInjector",
    "TaskArchiver",
    "WorkQueueManager",
    "WorkflowUpdater",
)
COUNTRIES = ("BE", "BR", "CH", "DE", "EE", "ES", "FR", "IT", "PL", "PT", "RU", "TW", "UA", "UK", "US")


def site_name(number: int) -> str:
    tier = 1 if number % 16 == 1 else 2 if number % 3 else 3
    return f"T{tier}_{COUNTRIES[number % len(COUNTRIES)]}_Site{number:04d}"


def task(random: Random, priority: int, cpus: int) -> Task:
    busy = random.random() < 0.6
    jobs = Jobs(
        random.randrange(cpus), random.randrange(2 * cpus), random.randrange(3), random.randrange(9), 0
    )
    return Task(
        cpus,
        max(int(cpus * 0.45), 50),
        priority,
        jobs if busy else Jobs(),
        random.choice((40, 60, 150)) if busy else None,
    )


def agent_site(random: Random, name: str) -> AgentSite:
    cpus = random.randrange(50, 5000)
    return AgentSite(
        name=name,
        state=random.choice(("Normal",) * 17 + ("Draining", "Down", "Aborted")),
        state_time=START - random.randrange(10**6) - 0.25,
        cms_name=name,
        plugin="SimpleCondorPlugin",
        running_slots=cpus,
        pending_slots=max(cpus // 2, 50),
        pnns=(name + "_Disk",) if "T1" in name else (name,),
        tasks={kind: task(random, TASKS[kind], cpus) for kind in sorted(TASKS)},
        backlog={priority: random.randrange(200) for priority in (0, 31, 40, 60, 150)},
    )


def component(random: Random, name: str) -> Component:
    problem = random.choice((None,) * 9 + ("state Error",))
    worker = Worker(
        name + "Poller",
        "Error" if problem else "Running",
        START - random.randrange(600),
        float(random.choice((20, 100, 300, 3600))),
        round(random.random() * 40, 3),
        pid=random.randrange(1000, 9000),
        last_error=START - 100 if problem else None,
        error_message="Lock wait timeout exceeded" if problem else None,
        problem=problem,
    )
    return Component(name, random.randrange(1000, 9000), 7200, (worker,))


def agent(random: Random, name: str, sites: int) -> Agent:
    names = sorted(site_name(number) for number in range(sites))
    return Agent(
        name=name,
        polled_at=START + 0.5,
        sites={site: agent_site(random, site) for site in names},
        jobs_by_state={state: random.randrange(50_000) for state in JOB_STATES},
        submitter=SubmitterSettings(100_000),
        batch_active={status: random.randrange(9_000) for status in sorted(STATUSES)},
        batch_completed={status: random.randrange(90_000) for status in sorted(STATUSES)},
        created_by_task={kind: random.randrange(900) for kind in sorted(TASKS)},
        executing_by_task={kind: random.randrange(900) for kind in sorted(TASKS)},
        components=tuple(component(random, kind) for kind in COMPONENTS),
        hostname=name,
        version="2.4.1",
        findings=(Finding("null_plugin", name, "1 site has no plugin", 1, names[0]),),
    )


def total(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def site(name: str, agents: Mapping[str, Agent]) -> Site:
    seen = {key: agent.sites[name] for key, agent in agents.items() if name in agent.sites}
    states: dict[str, tuple[str, ...]] = {}
    for key, one in seen.items():
        if one.state is not None:
            states[one.state] = (*states.get(one.state, ()), key)
    return Site(
        name=name,
        tier=name[:2] if name[:1] == "T" else None,
        state=next(iter(states)) if len(states) == 1 else None,
        states=states,
        running_slots=total([one.running_slots for one in seen.values()]),
        pending_slots=total([one.pending_slots for one in seen.values()]),
        jobs=sum((one.jobs for one in seen.values()), Jobs()),
        agents=seen,
    )


def snapshot_of(*agents: Agent, sources: tuple[SourceState, ...] = (), **changes: object) -> Snapshot:
    """The snapshot of these agents: sites, findings and one source for each agent follow from them."""
    by_name = {one.name: one for one in agents}
    names = sorted({name for one in agents for name in one.sites})
    values: dict[str, object] = {
        "started": START,
        "duration": 1.5,
        "interval": 60.0,
        "sources": sources
        or tuple(
            SourceState(
                one.name,
                "wmagent",
                up=True,
                stale=False,
                last_success=one.polled_at,
                duration=0.4,
                error=None,
            )
            for one in agents
        ),
        "agents": by_name,
        "sites": {name: site(name, by_name) for name in names},
        "findings": tuple(finding for one in agents for finding in one.findings),
    }
    return Snapshot(**{**values, **changes})  # type: ignore[arg-type]


def make_snapshot(sites: int, agents: int, seed: int = 1) -> Snapshot:
    """A snapshot of so many sites, each known to each of so many agents, seven task types each."""
    random = Random(seed)
    return snapshot_of(*(agent(random, f"vocms{number:04d}.cern.ch", sites) for number in range(agents)))

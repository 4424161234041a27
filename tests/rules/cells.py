"""Made-up agents with one site, for the rules."""

from typing import Any

from msgspec.structs import replace

from rcmon.model import (
    Agent,
    AgentSite,
    Cell,
    Component,
    Jobs,
    Place,
    Snapshot,
    Task,
    Upstream,
    Worker,
)
from rcmon.rules.judging import judge

AGENT, SITE = "vocms0281", "T2_CH_CERN"
SUBMITTER, CREATOR = "JobSubmitter", "JobCreator"


def task(pending: int = 12, running: int = 30, **values: Any) -> Task:
    """Make a task type with room for more jobs."""
    given: dict[str, Any] = {
        "max_slots": 100,
        "pending_slots": 45,
        "priority": 0,
        "jobs": Jobs(pending, running),
        "wf_highest_priority": 84_999 if pending or running else None,
    }
    return Task(**given | values)


def site(**values: Any) -> AgentSite:
    """Make a site where nothing stands against Processing."""
    given: dict[str, Any] = {
        "name": SITE,
        "state": "Normal",
        "state_time": 1_767_268_800.0,
        "cms_name": SITE,
        "plugin": "SimpleCondorPlugin",
        "running_slots": 1000,
        "pending_slots": 500,
        "tasks": {"Processing": task()},
    }
    return AgentSite(**given | values)


def component(name: str, problem: str | None = None) -> Component:
    """Make a component with one worker."""
    worker = Worker(f"{name}Poller", "Running", None, None, None, problem=problem)
    return Component(name, 1, 7200.0, (worker,))


def agent(of: AgentSite, **values: Any) -> Agent:
    """Make an agent with one site, whose components all work."""
    given: dict[str, Any] = {"components": (component(CREATOR), component(SUBMITTER))}
    return Agent(AGENT, 0.0, {of.name: of}, **given | values)


def snapshot(one: Agent, upstream: Upstream | None = None) -> Snapshot:
    """Make a snapshot of one agent."""
    return Snapshot(0.0, 0.0, 60.0, agents={one.name: one}, given={} if upstream is None else {"x": upstream})


def judged(one: Agent, upstream: Upstream | None = None) -> Place:
    """Judge an agent's only site."""
    return judge(snapshot(one, upstream))[one.name][SITE]


def placed(
    one: Agent | AgentSite, name: str = "Processing", upstream: Upstream | None = None
) -> tuple[Place, Cell]:
    """Judge one task type there, and give the site too."""
    place = judged(agent(one) if isinstance(one, AgentSite) else one, upstream)
    return place, next(cell for cell in place.cells if cell.task == name)


def cell(one: Agent | AgentSite, name: str = "Processing", upstream: Upstream | None = None) -> Cell:
    """Judge one task type there."""
    return placed(one, name, upstream)[1]


def full(**values: Any) -> AgentSite:
    """Make a site whose Processing has no pending slot left."""
    return replace(site(**values), tasks={"Processing": task(45)})

"""The documents of agents say what the snapshot says, how well an agent is and how old its data."""

import pytest
from msgspec.structs import asdict

from rcmon.documents import keys, shapes
from rcmon.model import (
    Agent,
    AgentSite,
    Component,
    Jobs,
    Snapshot,
    SourceState,
    SubmitterSettings,
    Worker,
)
from tests.render.decoding import Documents, moment, read, rendered
from tests.render.factory import START, snapshot_of


def test_agents_in_short(documents: Documents, snapshot: Snapshot) -> None:
    whole = read(documents, keys.AGENTS, shapes.AgentsDocument)
    assert moment(whole.timestamp) == snapshot.started
    assert whole.count == 2
    for shape, agent in zip(whole.agents, snapshot.agents.values(), strict=True):
        assert (shape.name, shape.hostname, shape.version) == (agent.name, agent.hostname, agent.version)
        assert (shape.drain, shape.stale, moment(shape.as_of)) == (None, False, agent.polled_at)
        assert (shape.sites, shape.findings) == (3, 1)
        total = sum((site.jobs for site in agent.sites.values()), Jobs())
        assert Jobs(**asdict(shape.jobs)) == total
        bad = {c.name for c in agent.components or () for w in c.workers if w.problem}
        assert (shape.status, set(shape.down_components)) == ("down" if bad else "ok", bad)


def test_an_agent_whole(documents: Documents, snapshot: Snapshot) -> None:
    for name, agent in snapshot.agents.items():
        shape = read(documents, keys.agent(name), shapes.AgentDocument)
        same = (
            "name",
            "hostname",
            "version",
            "drain",
            "jobs_by_state",
            "created_by_task",
            "executing_by_task",
        )
        assert [getattr(shape, field) for field in same] == [getattr(agent, field) for field in same]
        assert (shape.batch_jobs.active, shape.batch_jobs.completed) == (
            agent.batch_active,
            agent.batch_completed,
        )
        assert [(one.kind, one.site, one.message) for one in shape.findings] == [
            (one.kind, one.site, one.message) for one in agent.findings
        ]
        assert shape.source is not None
        assert shape.source.name == name
        assert moment(shape.source.last_success) == agent.polled_at
        pairs = [(c, w) for c in agent.components or () for w in c.workers]
        assert shape.workers is not None
        for found, (component, worker) in zip(shape.workers, pairs, strict=True):
            assert (found.component, found.worker) == (component.name, worker.name)
            assert found.update_threshold == component.update_threshold
            assert moment(found.last_updated) == worker.last_updated
            assert moment(found.last_error) == worker.last_error
            same = ("state", "problem", "poll_interval", "cycle_time", "pid", "outcome", "error_message")
            assert [getattr(found, field) for field in same] == [getattr(worker, field) for field in same]


@pytest.mark.parametrize(
    ("settings", "limit"), [(SubmitterSettings(), None), (SubmitterSettings(9_999), 7499)]
)
def test_how_many_jobs_it_may_have_is_told_where_that_is_known(
    settings: SubmitterSettings, limit: int | None
) -> None:
    documents = rendered(snapshot_of(Agent("a", START, submitter=settings)))
    assert read(documents, keys.agent("a"), shapes.AgentDocument).executing_limit == limit


def component(*problems: str | None) -> Component:
    workers = tuple(
        Worker(f"w{n}", "Running", START, 60, 1, problem=problem) for n, problem in enumerate(problems)
    )
    return Component("JobSubmitter", 1, 7200, workers)


@pytest.mark.parametrize(
    ("components", "status", "down"),
    [
        (None, "unknown", []),
        ((), "unknown", []),
        ((component(),), "unknown", []),
        ((component(None, None),), "ok", []),
        ((component(None, "state Error", "heartbeat too old"),), "down", ["JobSubmitter"]),
    ],
)
def test_an_agents_health(components: tuple[Component, ...] | None, status: str, down: list[str]) -> None:
    made = rendered(snapshot_of(Agent("a", START, components=components)))
    agent = read(made, keys.agent("a"), shapes.AgentDocument)
    assert (agent.health.status, agent.health.down_components) == (status, down)
    assert [worker.problem for worker in agent.health.down_component_detail] == (
        ["state Error", "heartbeat too old"] if down else []
    )
    assert (agent.workers is None) == (components is None)
    assert read(made, keys.AGENTS, shapes.AgentsDocument).agents[0].status == status


def source(name: str, *agents: str, stale: bool) -> SourceState:
    error = "no answer" if stale else None
    return SourceState(name, "wmagent", not stale, stale, START - 300, 1.0, error, agents=agents)


@pytest.mark.parametrize(
    ("sources", "age", "stale"),
    [
        ((source("a", stale=True),), 300, True),
        ((source("a", stale=False),), 300, False),
        ((source("pushed", "b", "a", stale=True),), 0, True),
        ((source("a", stale=True), source("x", "a", stale=False), source("y", "a", stale=True)), 300, False),
        ((source("pushed", stale=False),), 59, False),
        ((source("pushed", stale=False),), 61, True),
    ],
)
def test_old_data_says_so(sources: tuple[SourceState, ...], age: float, *, stale: bool) -> None:
    """An agent is as stale as the first source that claims it; without one, when older than an interval."""
    sites = {"T1_A": AgentSite("T1_A", None, None, None, None, None, None)}
    made = rendered(snapshot_of(Agent("a", START - age, sites), sources=sources))
    site = read(made, keys.SITES, shapes.SitesDocument).sites[0].agents["a"]
    agent = read(made, keys.agent("a"), shapes.AgentDocument)
    short = read(made, keys.AGENTS, shapes.AgentsDocument).agents[0]
    for shape in (site, agent, short):
        assert (shape.stale, moment(shape.as_of)) == (stale, START - age)

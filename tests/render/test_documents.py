"""Every document decodes to what the snapshot says, in the shape that is declared for it."""

import hashlib
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

import pytest
from msgspec import json, msgpack
from msgspec.structs import asdict, replace

from rcmon import documents as keys
from rcmon import shapes
from rcmon.documents import Facts, SiteEntry
from rcmon.gzipping import inflate
from rcmon.model import (
    Agent,
    AgentSite,
    Component,
    Document,
    Finding,
    Jobs,
    Snapshot,
    SourceState,
    Task,
    Worker,
)
from rcmon.render import render
from tests.render.factory import START, snapshot_of

T = TypeVar("T")
Documents = dict[str, Document]


def read(documents: Mapping[str, Document], key: str, shape: type[T]) -> T:
    return json.decode(inflate(documents[key]), type=shape)


def rendered(snapshot: Snapshot) -> Documents:
    return {document.key: document for document in render(snapshot)}


def moment(written: str | None) -> float | None:
    return None if written is None else datetime.fromisoformat(written).timestamp()


def test_every_document_is_there_once(snapshot: Snapshot) -> None:
    of_agents = {
        key
        for name in snapshot.agents
        for key in (keys.agent(name), keys.thresholds(name), keys.backlog(name))
    }
    whole = {
        keys.METRICS_TEXT,
        keys.METRICS_OPENMETRICS,
        keys.SITES,
        keys.AGENTS,
        keys.QUALITY,
        keys.FACTS,
        keys.SITES_INDEX,
    }
    made = [document.key for document in render(snapshot)]
    assert len(made) == len(set(made))
    assert set(made) == whole | of_agents


def test_sums_are_those_of_the_inflated_bytes(documents: Documents) -> None:
    for key, document in documents.items():
        plain = inflate(document)
        assert (document.size, document.crc32) == (len(plain), zlib.crc32(plain))
        assert document.digest == hashlib.sha256(plain).hexdigest()[:20]
        assert document.key == key
        assert document.open_ended == key.startswith("metrics.")


def test_media_types(documents: Documents) -> None:
    types = {key: document.media_type for key, document in documents.items()}
    assert types.pop(keys.METRICS_TEXT) == "text/plain; version=0.0.4; charset=utf-8"
    assert types.pop(keys.METRICS_OPENMETRICS) == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert types.pop(keys.FACTS) == types.pop(keys.SITES_INDEX) == "application/vnd.msgpack"
    assert set(types.values()) == {"application/json"}


def test_json_is_compact_and_ends_with_a_newline(documents: Documents) -> None:
    for document in documents.values():
        if document.media_type == "application/json":
            plain = inflate(document)
            assert plain == json.encode(json.decode(plain)) + b"\n"


def test_json_holds_exactly_the_declared_fields(documents: Documents, snapshot: Snapshot) -> None:
    for key, shape in json_shapes(snapshot).items():
        plain = inflate(documents[key])
        assert json.decode(json.encode(json.decode(plain, type=shape))) == json.decode(plain)


def json_shapes(snapshot: Snapshot) -> dict[str, type]:
    found: dict[str, type] = {
        keys.SITES: shapes.SitesDocument,
        keys.AGENTS: shapes.AgentsDocument,
        keys.QUALITY: shapes.QualityDocument,
    }
    for name in snapshot.agents:
        found[keys.agent(name)] = shapes.AgentDocument
        found[keys.thresholds(name)] = dict[str, shapes.SiteThresholds]
        found[keys.backlog(name)] = dict[str, shapes.SiteBacklog]
    return found


def test_sites(documents: Documents, snapshot: Snapshot) -> None:
    whole = read(documents, keys.SITES, shapes.SitesDocument)
    assert moment(whole.timestamp) == snapshot.started
    assert whole.count == len(whole.sites) == 3
    for shape, site in zip(whole.sites, snapshot.sites.values(), strict=True):
        assert (shape.name, shape.tier, shape.state) == (site.name, site.tier, site.state)
        assert {state: tuple(agents) for state, agents in shape.states.items()} == site.states
        assert (shape.running_slots, shape.pending_slots) == (site.running_slots, site.pending_slots)
        assert (shape.running_jobs, shape.pending_jobs) == (site.jobs.running, site.jobs.pending)
        assert Jobs(**asdict(shape.jobs)) == site.jobs
        assert list(shape.agents) == list(site.agents)
        for name, seen in site.agents.items():
            check_agent_site(shape.agents[name], seen)
            assert moment(shape.agents[name].as_of) == snapshot.agents[name].polled_at
            assert shape.agents[name].stale is False


def check_agent_site(shape: shapes.AgentSiteShape, site: AgentSite) -> None:
    plain = ("state", "cms_name", "plugin", "running_slots", "pending_slots", "backlog")
    assert [getattr(shape, field) for field in plain] == [getattr(site, field) for field in plain]
    assert moment(shape.state_time) == site.state_time
    assert tuple(shape.pnns) == site.pnns
    assert Jobs(**asdict(shape.jobs)) == site.jobs
    assert (shape.running_jobs, shape.pending_jobs) == (site.jobs.running, site.jobs.pending)
    assert list(shape.tasks) == list(site.tasks)
    for name, task in site.tasks.items():
        found = shape.tasks[name]
        jobs = Jobs(
            found.pending_jobs, found.running_jobs, found.error_jobs, found.complete_jobs, found.unknown_jobs
        )
        assert (
            Task(found.max_slots, found.pending_slots, found.priority, jobs, found.wf_highest_priority)
            == task
        )


def test_the_index_holds_each_sites_own_bytes(documents: Documents, snapshot: Snapshot) -> None:
    entries = msgpack.decode(inflate(documents[keys.SITES_INDEX]), type=tuple[SiteEntry, ...])
    whole = json.decode(inflate(documents[keys.SITES]))
    for entry, content, site in zip(entries, whole["sites"], snapshot.sites.values(), strict=True):
        assert json.decode(entry.document) == content
        fields = ("name", "tier", "state", "states", "running_slots", "pending_slots", "jobs")
        assert [getattr(entry, field) for field in fields] == [getattr(site, field) for field in fields]
        assert entry.agents == tuple(site.agents)


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
        assert tuple(shape.findings) == agent.findings
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


def test_quality() -> None:
    findings = (Finding("null_plugin", "a", "x", 2, "T1_A", "Merge"), Finding("agents_differ", None, "y"))
    content = read(rendered(snapshot_of(findings=findings)), keys.QUALITY, shapes.QualityDocument)
    assert (moment(content.timestamp), content.count, tuple(content.findings)) == (START, 2, findings)


def test_facts(documents: Documents, snapshot: Snapshot) -> None:
    facts = msgpack.decode(inflate(documents[keys.FACTS]), type=Facts)
    assert facts == Facts(START, 1.5, 60, snapshot.sources, tuple(snapshot.agents), len(snapshot.findings))


def test_an_empty_snapshot_has_empty_documents() -> None:
    made = rendered(snapshot_of())
    assert read(made, keys.SITES, shapes.SitesDocument).sites == []
    assert inflate(made[keys.AGENTS]) == b'{"timestamp":"2026-01-01T12:00:00.250Z","count":0,"agents":[]}\n'
    assert msgpack.decode(inflate(made[keys.SITES_INDEX])) == []


def test_what_did_not_change_is_the_same_document(snapshot: Snapshot, documents: Documents) -> None:
    """A cycle later one agent has moved: the other's thresholds are not compressed again."""
    moved, still = sorted(snapshot.agents)
    agent = snapshot.agents[moved]
    name, site = next(iter(agent.sites.items()))
    agent = replace(agent, sites={**agent.sites, name: replace(site, pending_slots=1)})
    later = snapshot_of(agent, snapshot.agents[still], started=START + 60)
    again = {document.key: document for document in render(later, documents)}
    assert again[keys.thresholds(still)] is documents[keys.thresholds(still)]
    assert again[keys.backlog(still)] is documents[keys.backlog(still)]
    for key in (keys.thresholds(moved), keys.agent(still), keys.SITES, keys.METRICS_TEXT, keys.FACTS):
        assert again[key].digest != documents[key].digest
    assert again == rendered(later)


def test_a_document_of_another_kind_is_never_taken_for_the_same(
    snapshot: Snapshot, documents: Documents
) -> None:
    changed = {key: replace(document, open_ended=True) for key, document in documents.items()}
    assert {document.key: document for document in render(snapshot, changed)} == documents


def test_rendering_twice_gives_the_same_bytes(snapshot: Snapshot, documents: Documents) -> None:
    assert rendered(snapshot) == documents

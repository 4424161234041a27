"""Both expositions: what promtool and strict parsers accept, and what each family says."""

import math
import re
import subprocess

import pytest
from msgspec.structs import replace
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from rcmon.exposition.formats import unit_of
from rcmon.model import OVERRIDE_MODES as MODES
from rcmon.model import (
    Agent,
    AgentExpected,
    AgentReport,
    AgentSite,
    Component,
    Finding,
    Forecast,
    Jobs,
    Override,
    SiteExpected,
    Snapshot,
    SourceState,
    SubmitterSettings,
    Task,
    Upstream,
    Worker,
)
from rcmon.model.steering import Quarantine, Steered
from rcmon.render.families.table import FAMILIES
from tests.render.factory import START, make_snapshot, snapshot_of
from tests.render.reading import labelled, plain, series_of

TAIL = "# HELP rcmon_build_info Version of rcmon.\n# TYPE rcmon_build_info gauge\nrcmon_build_info 1\n"


def values(snapshot: Snapshot, name: str) -> dict[frozenset[tuple[str, str]], float]:
    return {labels: value for (found, labels), value in series_of(snapshot).items() if found == name}


def lone_site(**changes: object) -> Snapshot:
    nothing = AgentSite("T2_CH_CERN", None, None, None, None, None, None)
    return snapshot_of(Agent("a", START, {"T2_CH_CERN": replace(nothing, **changes)}))


def test_promtool_finds_nothing_at_all(promtool: str, snapshot: Snapshot) -> None:
    text = plain(snapshot)[0] + TAIL
    result = subprocess.run(
        [promtool, "check", "metrics"], input=text.encode(), capture_output=True, timeout=300, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_every_family_of_the_table_is_there_with_its_labels_type_and_unit(snapshot: Snapshot) -> None:
    full = replace(
        snapshot,
        agents={k: replace(a, drain=True) for k, a in snapshot.agents.items()},
        sources=tuple(replace(source, polling_since=1.0) for source in snapshot.sources),
        expected={
            name: AgentExpected(sites={site: SiteExpected("Normal", None, 9, 8) for site in agent.sites})
            for name, agent in snapshot.agents.items()
        },
        forecasts={name: Forecast(2, 1) for name in snapshot.agents},
        given={"w": Upstream(reports={"a": AgentReport(1.0, None, None, None, None)})},
        steered=Steered((Quarantine("i", "leaving", "m", 1.0, whole=True, proposals=()),)),
    )
    parsed = {family.name: family for family in text_string_to_metric_families(plain(full)[1])}
    assert len(parsed) == len(FAMILIES)
    for family in FAMILIES:
        found = parsed[family.name.removesuffix("_total").removesuffix("_info")]
        assert (found.type, found.unit, found.documentation) == (
            family.kind,
            unit_of(family.name),
            family.help,
        )
        for sample in found.samples:
            assert sample.name == family.name
            assert tuple(sample.labels) == family.labels


def test_the_table_keeps_the_naming_rules() -> None:
    for family in FAMILIES:
        assert re.fullmatch(r"rcmon(_[a-z]+)+", family.name)
        assert family.name.endswith("_total") == (family.kind == "counter")
        assert family.name.endswith("_info") == (family.kind == "info")
        assert unit_of(family.name) == ("seconds" if family.name.endswith("_seconds") else "")
        assert re.fullmatch(r"[A-Z][^\"\\\n]*\.", family.help)
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


def test_each_family_stands_once_in_each_format(snapshot: Snapshot) -> None:
    for text in plain(snapshot):
        heads = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
        assert len(heads) == len(set(heads))


def test_an_agent_of_150_sites_is_about_ten_thousand_series() -> None:
    """Its larger families are written in several blocks, which must make one whole."""
    snapshot = make_snapshot(150, 1)
    series = series_of(snapshot)
    assert 9_000 < len(series) < 11_000
    assert sum(name == "rcmon_task_jobs" for name, _ in series) == 150 * 7 * 5
    assert sum(name == "rcmon_site_state" for name, _ in series) == 150 * 4


def test_ten_agents_are_ten_times_as_many() -> None:
    one, ten = (len(plain(make_snapshot(15, agents))[0].splitlines()) for agents in (1, 10))
    assert 9 * one < ten < 10 * one


def test_the_numbers_are_the_snapshots(snapshot: Snapshot) -> None:
    series = series_of(snapshot)
    for a, agent in snapshot.agents.items():
        for s, site in agent.sites.items():
            at = labelled(agent=a, site=s)
            assert series["rcmon_site_running_slots", at] == site.running_slots
            assert series["rcmon_site_pending_slots", at] == site.pending_slots
            assert series["rcmon_site_running_jobs", at] == sum(t.jobs.running for t in site.tasks.values())
            assert series["rcmon_site_pending_jobs", at] == sum(t.jobs.pending for t in site.tasks.values())
            assert series["rcmon_site_backlog_jobs", at] == sum(site.backlog.values())
            assert series["rcmon_site_state_since_timestamp_seconds", at] == site.state_time
            for t, task in site.tasks.items():
                at = labelled(agent=a, site=s, task=t)
                assert series["rcmon_task_max_slots", at] == task.max_slots
                assert series["rcmon_task_pending_slots", at] == task.pending_slots
                assert series.get(("rcmon_task_highest_workflow_priority", at)) == task.wf_highest_priority
                for status in ("pending", "running", "error", "complete", "unknown"):
                    key = labelled(agent=a, site=s, task=t, status=status)
                    assert series["rcmon_task_jobs", key] == getattr(task.jobs, status)


def test_the_agents_numbers_are_the_snapshots(snapshot: Snapshot) -> None:
    series = series_of(snapshot)
    for a, agent in snapshot.agents.items():
        assert agent.jobs_by_state is not None
        assert agent.batch_active is not None
        assert agent.batch_completed is not None
        for state, count in agent.jobs_by_state.items():
            assert series["rcmon_agent_jobs", labelled(agent=a, state=state)] == count
        for phase, counts in (("active", agent.batch_active), ("completed", agent.batch_completed)):
            for status, count in counts.items():
                key = labelled(agent=a, phase=phase, status=status)
                assert series["rcmon_agent_batch_jobs", key] == count
        for name, counts in (("created", agent.created_by_task), ("executing", agent.executing_by_task)):
            for task, count in (counts or {}).items():
                assert series[f"rcmon_agent_{name}_jobs", labelled(agent=a, task=task)] == count
        assert series["rcmon_agent_polled_timestamp_seconds", labelled(agent=a)] == agent.polled_at
        info = labelled(agent=a, hostname=str(agent.hostname), version=str(agent.version))
        assert series["rcmon_agent_info", info] == 1


def test_how_many_jobs_an_agent_may_have_is_told_where_that_is_known() -> None:
    told = Agent("told", START, submitter=SubmitterSettings(10_000, 0.8))
    limits = values(snapshot_of(told, Agent("untold", START)), "rcmon_agent_executing_limit_jobs")
    assert limits == {labelled(agent="told"): 8000}


def test_the_cycle_and_its_sources() -> None:
    late = SourceState(
        "a", "wmagent", up=False, stale=True, last_success=1.5, duration=9.25, error="x", errors_total=7
    )
    series = series_of(snapshot_of(sources=(late,)))
    at = labelled(source="a", kind="wmagent")
    assert series == {
        ("rcmon_source_up", at): 0,
        ("rcmon_source_stale", at): 1,
        ("rcmon_source_last_success_timestamp_seconds", at): 1.5,
        ("rcmon_source_poll_duration_seconds", at): 9.25,
        ("rcmon_source_errors_total", at): 7,
        ("rcmon_cycle_start_timestamp_seconds", frozenset()): START,
        ("rcmon_cycle_duration_seconds", frozenset()): 1.5,
        ("rcmon_cycle_interval_seconds", frozenset()): 60,
    } | {("rcmon_overrides", labelled(mode=mode)): 0 for mode in MODES}


def test_overrides_are_counted_by_how_they_end() -> None:
    made = tuple(
        Override(f"T1_XX_{number}", None, "Down", None, None, mode, None, "r", "/CN=o", START, number)
        for number, mode in enumerate(MODES[1:] + MODES[1:2])
    )
    series = series_of(replace(snapshot_of(), overrides=made))
    counts = {mode: series["rcmon_overrides", labelled(mode=mode)] for mode in MODES}
    assert counts == {"until": 0, "latched": 2, "toggle": 1}


def test_a_site_is_in_one_state_of_all() -> None:
    states = values(lone_site(state="Draining"), "rcmon_site_state")
    expected = {"Normal": 0, "Draining": 1, "Down": 0, "Aborted": 0}
    assert states == {labelled(agent="a", site="T2_CH_CERN", state=s): v for s, v in expected.items()}


def test_a_state_that_nobody_listed_is_one_more_series() -> None:
    states = values(lone_site(state="Lost"), "rcmon_site_state")
    assert sum(states.values()) == 1
    assert states[labelled(agent="a", site="T2_CH_CERN", state="Lost")] == 1
    assert len(states) == 5


def test_what_is_not_known_has_no_series() -> None:
    """Jobs and backlog are counts of rows: none is zero; everything else is simply not there."""
    task = Task(None, None, None, Jobs(running=2), None)
    series = series_of(lone_site(tasks={"Merge": task}))
    names = {name for name, labels in series if dict(labels).get("site")}
    assert names == {
        "rcmon_site_info",
        "rcmon_site_running_jobs",
        "rcmon_site_pending_jobs",
        "rcmon_site_backlog_jobs",
        "rcmon_task_jobs",
        "rcmon_task_blocked",
    }
    assert "rcmon_agent_drain" not in {name for name, _ in series}


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_a_number_that_is_none_has_no_series(number: float) -> None:
    snapshot = lone_site(state_time=number, running_slots=5)
    assert values(snapshot, "rcmon_site_state_since_timestamp_seconds") == {}
    assert list(values(snapshot, "rcmon_site_running_slots").values()) == [5]


@pytest.mark.parametrize("number", [0, -1, 2**53 + 1, 2**63, 1e-9, 1e22, 0.1, 1767157934.123456])
def test_numbers_are_written_exactly(number: float) -> None:
    assert f" {number}\n" in plain(lone_site(state_time=number))[0]
    found = values(lone_site(state_time=number), "rcmon_site_state_since_timestamp_seconds")
    assert list(found.values()) == [number]


def test_what_vanished_vanishes(snapshot: Snapshot) -> None:
    gone = min(snapshot.agents)
    left = snapshot_of(*(agent for name, agent in snapshot.agents.items() if name != gone))
    assert any(gone in text for text in plain(snapshot))
    assert not any(gone in text for text in plain(left))


def test_workers_of_one_name_are_one_series_and_the_worst_speaks() -> None:
    workers = (
        Worker("Poller", "Running", 900.0, 20.0, 5.0),
        Worker("Poller", "Error", 100.0, None, 7.0, problem="state Error"),
        Worker("Poller", "Running", None, 60.0, None),
    )
    components = (Component("Submitter", 1, 600, workers[:2]), Component("Submitter", 2, 7200, workers[2:]))
    series = series_of(snapshot_of(Agent("a", START, components=components)))
    at = labelled(agent="a", component="Submitter", worker="Poller")
    assert series["rcmon_worker_up", at] == 0
    assert series["rcmon_worker_heartbeat_timestamp_seconds", at] == 100
    assert series["rcmon_worker_poll_interval_seconds", at] == 60
    assert series["rcmon_worker_cycle_duration_seconds", at] == 7
    assert series["rcmon_component_timeout_seconds", labelled(agent="a", component="Submitter")] == 600


def test_sources_of_one_name_and_kind_are_one_series() -> None:
    source = SourceState("a", "wmagent", up=True, stale=False, last_success=1, duration=1, error=None)
    again = replace(source, up=False)
    up = values(snapshot_of(sources=(source, again)), "rcmon_source_up")
    assert up == {labelled(source="a", kind="wmagent"): 0}


def test_findings_are_summed_by_agent_and_kind() -> None:
    findings = (
        Finding("null_plugin", "a", "x", 2, "T1_A"),
        Finding("null_plugin", "a", "y", 3, "T1_B"),
        Finding("null_plugin", "b", "y", 1),
        Finding("agents_differ", None, "z", 4, "T1_A"),
    )
    assert values(snapshot_of(findings=findings), "rcmon_findings") == {
        labelled(agent="a", kind="null_plugin", severity="info"): 5,
        labelled(agent="b", kind="null_plugin", severity="info"): 1,
        labelled(agent="", kind="agents_differ", severity="info"): 4,
    }


def test_an_empty_snapshot_still_tells_its_cycle(promtool: str) -> None:
    text, _ = plain(snapshot_of())
    assert {name for name, _ in series_of(snapshot_of())} == {
        "rcmon_cycle_start_timestamp_seconds",
        "rcmon_cycle_duration_seconds",
        "rcmon_cycle_interval_seconds",
        "rcmon_overrides",
    }
    subprocess.run([promtool, "check", "metrics"], input=text.encode(), check=True, timeout=300)

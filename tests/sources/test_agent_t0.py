"""The sample agent is read as WMCore itself reads it, except where WMCore is wrong.

Where it is wrong, by rule and not by list:
1. A job with several active batch rows is counted once per row by WMCore; here once, by the row with the
   highest retry count. So a cell of WMCore's is higher by the rows of its class that do not speak.
2. `wf_highest_priority` is that of an arbitrary batch status in WMCore; here the highest of all.
Every other cell is equal; PNNs, which WMCore gives in any order, are sorted.
"""

import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from rcmon.model import Agent
from rcmon.sources.wmagent.batch import job_class
from tests.sources.polling import NOW, agent_of, poll
from tests.sources.sample import answer

ROWS = """
    SELECT job.id, location.site_name, location.plugin, type.name, workflow.priority, state.name, status.name,
           run.retry_count, run.id
    FROM bl_runjob run, wmbs_job job, wmbs_job_state state, wmbs_location location, wmbs_jobgroup jobgroup,
         wmbs_subscription subscription, wmbs_sub_types type, wmbs_workflow workflow, bl_status status
    WHERE run.wmbs_id = job.id AND state.id = job.state AND location.id = job.location
      AND jobgroup.id = job.jobgroup AND subscription.id = jobgroup.subscription
      AND type.id = subscription.subtype AND workflow.id = subscription.workflow
      AND status.id = run.sched_status AND run.status = '1'
"""
FINISHED = ("success", "complete", "exhausted", "cleanout", "killed")


@pytest.fixture(scope="module")
def agent(sample: Path) -> Agent:
    return agent_of(poll(f"sqlite:///{sample}"))


@pytest.fixture(scope="module")
def superseded(sample_rows: sqlite3.Connection) -> "list[tuple[str, str, int, str, str, int]]":
    """Active rows that do not speak, and -1 for a class: (site, task, priority, state, class, rows)."""
    by_job: dict[int, list[tuple[object, ...]]] = {}
    for row in sample_rows.execute(ROWS):
        by_job.setdefault(row[0], []).append(row)
    found = []
    for rows in by_job.values():
        *others, _ = sorted(rows, key=lambda row: (row[7], row[8]))
        for _, site, plugin, task, priority, state, status, *_ in others:
            found.append((site, task, priority, state, job_class(plugin, status), 1))
    return found


@pytest.fixture(scope="module")
def too_many(superseded: "list[tuple[str, str, int, str, str, int]]") -> "Counter[tuple[str, str, str]]":
    """By how much WMCore's counts are too high, by site, task type and class; site totals without task."""
    surplus: Counter[tuple[str, str, str]] = Counter()
    for site, task, _, state, sort, rows in superseded:
        if state == "executing":
            surplus[site, task, sort] += rows
            surplus[site, "", sort] += rows
    return surplus


def test_every_site_is_there(agent: Agent) -> None:
    expected = answer("listSitesSlots")
    slots = {
        name: {"pending_slots": site.pending_slots, "running_slots": site.running_slots, "state": site.state}
        for name, site in agent.sites.items()
    }
    assert slots == expected
    assert list(agent.sites) == sorted(expected)


def test_thresholds_agree_in_every_cell_but_the_double_ones(
    agent: Agent, too_many: "Counter[tuple[str, str, str]]"
) -> None:
    expected = answer("listThresholdsForSubmit")
    assert set(agent.sites) == set(expected)
    for name, theirs in expected.items():
        ours = agent.sites[name]
        assert {
            "pnns": list(ours.pnns),
            "state": ours.state,
            "state_time": ours.state_time,
            "total_pending_slots": ours.pending_slots,
            "total_running_slots": ours.running_slots,
            "total_pending_jobs": ours.jobs.pending + too_many[name, "", "pending"],
            "total_running_jobs": ours.jobs.running + too_many[name, "", "running"],
        } == {**{key: theirs[key] for key in theirs if key != "thresholds"}, "pnns": sorted(theirs["pnns"])}
        assert list(ours.tasks) == sorted(theirs["thresholds"])
        for task, cell in theirs["thresholds"].items():
            mine = ours.tasks[task]
            assert {
                "max_slots": mine.max_slots,
                "pending_slots": mine.pending_slots,
                "priority": mine.priority,
                "task_pending_jobs": mine.jobs.pending + too_many[name, task, "pending"],
                "task_running_jobs": mine.jobs.running + too_many[name, task, "running"],
            } == {key: value for key, value in cell.items() if key != "wf_highest_priority"}
    assert too_many.total() > 0


def test_the_highest_priority_is_the_highest(agent: Agent, sample_rows: sqlite3.Connection) -> None:
    highest: dict[tuple[str, str], int] = {}
    for _, site, _, task, priority, state, *_ in sample_rows.execute(ROWS):
        if state == "executing":
            highest[site, task] = max(priority, highest.get((site, task), priority))
    wrong = 0
    for name, theirs in answer("listThresholdsForSubmit").items():
        for task, cell in theirs["thresholds"].items():
            mine = agent.sites[name].tasks[task].wf_highest_priority
            assert mine == highest.get((name, task))
            assert (mine is None) == (cell["wf_highest_priority"] is None)
            if mine is not None:
                assert mine >= cell["wf_highest_priority"]
                wrong += mine > cell["wf_highest_priority"]
    assert wrong > 0


def test_the_backlog_agrees_in_every_cell_but_the_double_ones(
    agent: Agent, sample_rows: sqlite3.Connection
) -> None:
    rows: dict[tuple[int, str, int, str], list[tuple[int, int, str]]] = {}
    for job, site, plugin, _, priority, state, status, retry, number in sample_rows.execute(ROWS):
        rows.setdefault((job, site, priority, state), []).append((retry, number, job_class(plugin, status)))
    surplus: Counter[tuple[str, int]] = Counter()
    for (_, site, priority, state), found in rows.items():
        if state not in FINISHED:
            theirs = sum(sort != "running" for _, _, sort in found)
            surplus[site, priority] += theirs - (max(found)[2] != "running")
    expected = answer("listThresholdsForCreate")
    assert set(agent.sites) == set(expected)
    for name, theirs in expected.items():
        ours = agent.sites[name]
        assert {
            "cms_name": ours.cms_name,
            "state": ours.state,
            "total_slots": ours.pending_slots,
            "pending_jobs": {
                str(priority): jobs + surplus[name, priority] for priority, jobs in ours.backlog.items()
            },
        } == theirs
    assert surplus.total() > 0


def test_totals_agree(agent: Agent) -> None:
    expected = answer("getAgentMonitoring")
    assert agent.jobs_by_state == expected["wmbsCountByState"]
    assert agent.batch_active == expected["activeRunJobByStatus"]
    assert agent.batch_completed == expected["completeRunJobByStatus"]
    assert agent.created_by_task == expected["wmbsCreatedTypeCount"]
    assert agent.executing_by_task == expected["wmbsExecutingTypeCount"]


def test_workers_agree(agent: Agent) -> None:
    assert agent.components is not None
    workers = [worker for component in agent.components for worker in component.workers]
    keys = ("name", "last_updated", "state", "poll_interval", "cycle_time")
    ours = [{key: getattr(worker, key) for key in keys} for worker in workers]
    assert sorted(ours, key=lambda worker: str(worker["name"])) == sorted(
        answer("MonitorWorkers"), key=lambda worker: str(worker["name"])
    )


def test_workers_that_are_not_well_agree(agent: Agent) -> None:
    expected = answer("getHeartbeatWarning")
    assert agent.components is not None
    bad = {
        (component.name, worker.name): worker.problem
        for component in agent.components
        for worker in component.workers
        if worker.problem
    }
    assert list(bad) == [
        (detail["name"], detail["worker_name"]) for detail in expected["down_component_detail"]
    ]
    assert bad["JobAccountant", "JobAccountantPoller"] == "in state Error"
    assert bad["JobSubmitter", "JobSubmitterPoller"] == "last reported 9000 s ago, more than 7200 s"


def test_the_agent_says_who_it_is(agent: Agent) -> None:
    assert (agent.name, agent.hostname, agent.version, agent.polled_at) == (
        "vocms0999",
        "vocms0999.cern.ch",
        "2.4.5",
        NOW,
    )
    assert agent.drain is None


def test_each_oddity_of_the_sample_is_found_once(agent: Agent) -> None:
    assert {finding.kind: finding.count for finding in agent.findings} == {
        "batch_status_unlisted": 5,
        "job_active_twice": 10,
        "job_executing_without_batch_row": 40,
        "job_executing_without_site": 60,
        "job_input_nowhere": 90,
    }

"""Whatever an agent's database holds that it should not: it is survived, and found with its count."""

from pathlib import Path

import pytest

from rcmon.model import Finding, Jobs, Task
from rcmon.sources.wmagent.columns import COLUMNS
from rcmon.sources.wmagent.findings import FINDINGS
from tests.sources.polling import NOW, agent_of, poll
from tests.sources.small import SmallAgent

SOUND = Task(90, 40, 0, Jobs(pending=1, running=1), 100)


def test_a_sound_agent_has_no_finding(small: SmallAgent) -> None:
    agent = small.poll()
    assert agent.findings == ()
    assert agent.sites["T1_DE_KIT"].tasks == {
        "Merge": Task(30, 20, 4, Jobs(), None),
        "Production": SOUND,
    }


def test_of_two_active_rows_the_highest_retry_count_speaks(small: SmallAgent) -> None:
    job = small.job("executing", site=2)
    small.batch(job, "Idle", retry=0)
    small.batch(job, "Running", retry=2)
    small.batch(job, "Held", retry=1)
    agent = small.poll()
    assert agent.sites["T2_CH_CERN"].jobs == Jobs(running=1)
    assert [(finding.kind, finding.count) for finding in agent.findings] == [("job_active_twice", 2)]


def test_of_two_active_rows_with_one_retry_count_the_highest_number_speaks(small: SmallAgent) -> None:
    job = small.job("executing", site=2)
    small.batch(job, "Running", retry=None)
    small.batch(job, "Held", retry=None)
    agent = small.poll()
    assert agent.sites["T2_CH_CERN"].jobs == Jobs(error=1)
    assert [(finding.kind, finding.count) for finding in agent.findings] == [("job_active_twice", 1)]


def test_a_retry_count_speaks_before_none(small: SmallAgent) -> None:
    job = small.job("executing", site=2)
    small.batch(job, "Running", retry=0)
    small.batch(job, "Held", retry=None)
    assert small.poll().sites["T2_CH_CERN"].jobs == Jobs(running=1)


def test_a_row_that_is_done_says_nothing(small: SmallAgent) -> None:
    job = small.job("executing", site=2, status="Idle")
    small.batch(job, "Running", retry=3, mark="0")
    agent = small.poll()
    assert agent.sites["T2_CH_CERN"].jobs == Jobs(pending=1)
    assert agent.findings == ()


def test_site_without_plugin(small: SmallAgent) -> None:
    small.run("UPDATE wmbs_location SET plugin = NULL WHERE id = 1")
    agent = small.poll()
    assert agent.sites["T1_DE_KIT"].plugin is None
    assert agent.sites["T1_DE_KIT"].jobs == Jobs(unknown=2)
    assert [(finding.kind, finding.site) for finding in agent.findings] == [
        ("site_plugin_missing", "T1_DE_KIT")
    ]


def test_site_with_unknown_plugin(small: SmallAgent) -> None:
    small.run("UPDATE wmbs_location SET plugin = 'ArcPlugin' WHERE id = 1")
    agent = small.poll()
    assert agent.sites["T1_DE_KIT"].jobs == Jobs(unknown=2)
    (finding,) = agent.findings
    assert finding.kind == "site_plugin_unknown"
    assert "ArcPlugin" in finding.message


@pytest.mark.parametrize("slots", ["running_slots", "pending_slots"])
def test_site_without_slots(small: SmallAgent, slots: str) -> None:
    small.run(f"UPDATE wmbs_location SET {slots} = NULL WHERE id = 1")
    agent = small.poll()
    assert getattr(agent.sites["T1_DE_KIT"], slots) is None
    assert agent.findings == (
        Finding("site_slots_missing", "vocms0999", f"{slots} is not set", site="T1_DE_KIT"),
    )


def test_site_without_cms_name(small: SmallAgent) -> None:
    small.run("UPDATE wmbs_location SET cms_name = NULL WHERE id = 1")
    assert small.poll().sites["T1_DE_KIT"].cms_name is None
    assert small.finding().kind == "site_cms_name_missing"


@pytest.mark.parametrize("time", [None, 0])
def test_site_without_state_time(small: SmallAgent, time: int | None) -> None:
    small.run("UPDATE wmbs_location SET state_time = ? WHERE id = 1", time)
    assert small.poll().sites["T1_DE_KIT"].state_time is None
    assert small.finding().kind == "site_state_time_missing"


def test_site_in_a_state_without_name(small: SmallAgent) -> None:
    small.run("UPDATE wmbs_location SET state = 99 WHERE id = 1")
    assert small.poll().sites["T1_DE_KIT"].state is None
    assert small.finding().kind == "site_state_unknown"


def test_site_in_a_state_of_another_name(small: SmallAgent) -> None:
    small.run("UPDATE wmbs_location_state SET name = 'Drain' WHERE id = 3")
    assert small.poll().sites["T2_CH_CERN"].state == "Drain"
    assert small.finding().kind == "site_state_unknown"


def test_site_name_twice(small: SmallAgent) -> None:
    small.run("CREATE TABLE without_keys AS SELECT * FROM wmbs_location")
    small.run("DROP TABLE wmbs_location")
    small.run("ALTER TABLE without_keys RENAME TO wmbs_location")
    small.run(
        "INSERT INTO wmbs_location SELECT 3, site_name, 2, cms_name, ce_name, 1, 1, plugin, state_time"
        " FROM wmbs_location WHERE id = 1"
    )
    small.job("executing", site=3, status="Running")
    agent = small.poll()
    site = agent.sites["T1_DE_KIT"]
    assert (site.state, site.running_slots, site.jobs) == ("Normal", 100, Jobs(pending=1, running=2))
    assert [(finding.kind, finding.count) for finding in agent.findings] == [("site_name_twice", 1)]


def test_site_without_thresholds(small: SmallAgent) -> None:
    small.run("DELETE FROM rc_threshold WHERE site_id = 2")
    agent = small.poll()
    assert agent.sites["T2_CH_CERN"].tasks == {}
    assert [(finding.kind, finding.site) for finding in agent.findings] == [
        ("site_without_thresholds", "T2_CH_CERN")
    ]


def test_jobs_without_threshold(small: SmallAgent) -> None:
    small.run("DELETE FROM rc_threshold WHERE site_id = 1 AND sub_type_id = 1")
    agent = small.poll()
    assert agent.sites["T1_DE_KIT"].tasks["Production"] == Task(
        None, None, 0, Jobs(pending=1, running=1), 100
    )
    (finding,) = agent.findings
    assert (finding.kind, finding.count, finding.site, finding.task) == (
        "threshold_missing",
        2,
        "T1_DE_KIT",
        "Production",
    )


def test_of_two_thresholds_the_lowest_counts_and_jobs_are_not_doubled(small: SmallAgent) -> None:
    small.run("INSERT INTO rc_threshold VALUES (1, 1, 400, 900), (1, 1, 30, 80)")
    agent = small.poll()
    assert agent.sites["T1_DE_KIT"].tasks["Production"] == Task(80, 30, 0, Jobs(pending=1, running=1), 100)
    (finding,) = agent.findings
    assert (finding.kind, finding.count, finding.task) == ("threshold_twice", 2, "Production")


def test_thresholds_that_point_nowhere(small: SmallAgent) -> None:
    small.run("INSERT INTO rc_threshold VALUES (77, 1, 1, 1), (1, 77, 1, 1)")
    assert small.poll().sites["T1_DE_KIT"].tasks["Production"] == SOUND
    finding = small.finding()
    assert (finding.kind, finding.count) == ("threshold_pointless", 2)


def test_unlisted_batch_status(small: SmallAgent) -> None:
    small.run("INSERT INTO bl_status (name) VALUES ('Transferring')")
    small.job("executing", site=2, status="Transferring")
    agent = small.poll()
    assert agent.sites["T2_CH_CERN"].jobs == Jobs(unknown=1)
    assert agent.batch_active is not None
    assert agent.batch_active["Transferring"] == 1
    (finding,) = agent.findings
    assert (finding.kind, finding.count) == ("batch_status_unlisted", 1)
    assert "Transferring" in finding.message


def test_batch_status_without_name(small: SmallAgent) -> None:
    job = small.job("executing", site=2)
    small.run(
        "INSERT INTO bl_runjob (wmbs_id, status, sched_status, retry_count) VALUES (?, '1', 77, 0)", job
    )
    agent = small.poll()
    assert agent.sites["T2_CH_CERN"].jobs == Jobs(unknown=1)
    assert [(finding.kind, finding.count) for finding in agent.findings] == [("batch_status_without_name", 1)]


@pytest.mark.parametrize("mark", [None, "7"])
def test_batch_row_that_is_neither_active_nor_done(small: SmallAgent, mark: str | None) -> None:
    small.batch(small.job("complete", site=2), "Completed", mark=mark)
    agent = small.poll()
    assert agent.batch_active is not None
    assert agent.batch_completed is not None
    assert (agent.batch_active["Completed"], agent.batch_completed["Completed"]) == (0, 0)
    (finding,) = agent.findings
    assert (finding.kind, finding.count) == ("batch_row_status_unknown", 1)


def test_active_rows_without_job(small: SmallAgent) -> None:
    small.batch(4711, "Running")
    small.batch(None, "Running")
    small.batch(None, "Running")
    agent = small.poll()
    assert [(finding.kind, finding.count) for finding in agent.findings] == [("batch_row_without_job", 3)]
    assert agent.sites["T1_DE_KIT"].tasks["Production"] == SOUND


def test_active_rows_of_jobs_that_do_not_execute(small: SmallAgent) -> None:
    small.job("jobcooloff", site=2, status="Running")
    small.job("complete", site=2, status="Completed")
    agent = small.poll()
    assert agent.sites["T2_CH_CERN"].jobs == Jobs()
    assert [(finding.kind, finding.count) for finding in agent.findings] == [("job_active_not_executing", 2)]


def test_executing_jobs_without_active_row(small: SmallAgent) -> None:
    small.batch(small.job("executing", site=2), "Running", mark="0")
    small.job("executing", site=2)
    agent = small.poll()
    assert agent.sites["T2_CH_CERN"].jobs == Jobs()
    assert [(finding.kind, finding.count) for finding in agent.findings] == [
        ("job_executing_without_batch_row", 2)
    ]


def test_executing_jobs_without_site(small: SmallAgent) -> None:
    small.run("INSERT INTO wmbs_file_location VALUES (1, 1)")
    small.job("executing", status="Running", files=(1,))
    agent = small.poll()
    assert agent.executing_by_task == {"Merge": 0, "Production": 3}
    assert sum(site.jobs.running for site in agent.sites.values()) == 1
    assert [(finding.kind, finding.count) for finding in agent.findings] == [
        ("job_executing_without_site", 1)
    ]


def test_jobs_at_a_site_that_does_not_exist(small: SmallAgent) -> None:
    small.job("executing", site=77, status="Running")
    agent = small.poll()
    assert sum(site.jobs.running for site in agent.sites.values()) == 1
    assert [(finding.kind, finding.count) for finding in agent.findings] == [("job_site_missing", 1)]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE wmbs_subscription SET subtype = 77 WHERE id = 2",
        "UPDATE wmbs_jobgroup SET subscription = 77 WHERE id = 2",
        "DELETE FROM wmbs_jobgroup WHERE id = 2",
    ],
)
def test_jobs_without_task_type(small: SmallAgent, sql: str) -> None:
    small.job("executing", site=2, status="Running", group=2)
    small.run(sql)
    agent = small.poll()
    assert sum(site.jobs.running for site in agent.sites.values()) == 1
    assert {finding.kind: finding.count for finding in agent.findings}["job_task_type_missing"] == 1


def test_workflow_without_priority(small: SmallAgent) -> None:
    small.run("UPDATE wmbs_workflow SET priority = NULL WHERE id = 1")
    agent = small.poll()
    task = agent.sites["T1_DE_KIT"].tasks["Production"]
    assert (task.jobs, task.wf_highest_priority) == (Jobs(pending=1, running=1), None)
    assert agent.sites["T1_DE_KIT"].backlog == {0: 1}
    assert [(finding.kind, finding.count) for finding in agent.findings] == [("workflow_priority_missing", 2)]


def test_jobs_in_an_unknown_state(small: SmallAgent) -> None:
    small.run("INSERT INTO wmbs_job_state (name) VALUES ('hibernating')")
    small.job("hibernating", site=2)
    small.run("INSERT INTO wmbs_job (jobgroup, state, state_time) VALUES (1, 77, 0)")
    agent = small.poll()
    assert agent.jobs_by_state is not None
    assert agent.jobs_by_state["hibernating"] == 1
    counts = {
        finding.message: finding.count for finding in agent.findings if finding.kind == "job_state_unknown"
    }
    assert counts == {"jobs in state hibernating": 1, "jobs in state without a name": 1}


def test_unassigned_jobs_that_no_site_can_take(small: SmallAgent) -> None:
    small.run("INSERT INTO wmbs_file_location VALUES (1, 2)")
    small.run("INSERT INTO wmbs_subscription_validation VALUES (1, 1, 1)")
    small.job("created")
    small.job("created", files=(1,))
    small.job("created", files=(99,))
    agent = small.poll()
    assert [(finding.kind, finding.count) for finding in agent.findings] == [("job_input_nowhere", 3)]
    assert agent.created_by_task == {"Merge": 0, "Production": 3}


def test_worker_without_component(small: SmallAgent) -> None:
    small.run("UPDATE wm_workers SET component_id = 77")
    assert small.finding().kind == "worker_without_component"


def test_slots_that_are_no_number_are_unknown_and_named(small: SmallAgent) -> None:
    small.run("UPDATE wmbs_location SET running_slots = 'many' WHERE id = 1")
    assert small.poll().sites["T1_DE_KIT"].running_slots is None
    finding = small.finding()
    assert (finding.kind, finding.site) == ("slots_implausible", "T1_DE_KIT")
    assert "running_slots is 'many'" in finding.message


def test_everything_odd_at_once_loses_nothing_that_is_sound(small: SmallAgent) -> None:
    for statement in (
        "UPDATE wmbs_location SET plugin = NULL, state = 9, cms_name = NULL WHERE id = 2",
        "UPDATE wmbs_location SET state_time = NULL, running_slots = NULL WHERE id = 2",
        "INSERT INTO rc_threshold VALUES (77, 77, 1, 1), (2, 1, 1, 1), (2, 1, 1, 1)",
        "INSERT INTO bl_runjob (wmbs_id, status, sched_status) VALUES (77, '1', 77), (NULL, NULL, 77)",
        "INSERT INTO wmbs_job (jobgroup, state, state_time, location) VALUES (77, 3, 0, 77)",
        "INSERT INTO wmbs_job (jobgroup, state, state_time, location) VALUES (77, 77, 0, NULL)",
    ):
        small.run(statement)
    assert agent_of(poll(small.url)).sites["T1_DE_KIT"].tasks["Production"] == SOUND


def test_every_kind_has_a_test() -> None:
    """Those of single values have theirs in test_values.py, by the table of columns."""
    source = Path(__file__).read_text()
    of_values = {column.finding for column in COLUMNS.values()}
    assert [kind for kind in FINDINGS if f'"{kind}"' not in source and kind not in of_values] == []


def test_workers_are_judged(small: SmallAgent) -> None:
    small.run("UPDATE wm_components SET update_threshold = 0")
    for name, last_updated, state in (
        ("Silent", NOW - 7201, "Running"),
        ("Slow", NOW - 7200, "Running"),
        ("Wrong", NOW, "Error"),
    ):
        small.run(
            "INSERT INTO wm_workers (component_id, name, last_updated, state, poll_interval, cycle_time)"
            " VALUES (1, ?, ?, ?, 99999, 0)",
            *(name, last_updated, state),
        )
    (component,) = small.poll().components or ()
    assert component.update_threshold == 7200
    assert {worker.name: worker.problem for worker in component.workers} == {
        "JobSubmitterPoller": None,
        "Silent": "last reported 7201 s ago, more than 7200 s",
        "Slow": None,
        "Wrong": "in state Error",
    }

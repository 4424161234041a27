"""What the odd agent's database holds that it should not: for each kind of finding, how it gets there.

Applied in this order to the database as it was made; foreign keys are off.
"""

# ruff: noqa: S608 - all that is put into statements is from this file

from collections.abc import Mapping

NOWHERE = 777
"""The number of a row that no table has."""
LATE = 4102444800
"""A time that is far ahead of any clock: the year 2100."""
_JOB = "(SELECT MAX(id) FROM wmbs_job)"
_ODD_WORKER = "UPDATE wm_workers SET {} WHERE name = 'ArchiveDataPoller'"
_COMPONENT = "INSERT INTO wm_components VALUES (50, 'ArchiveDataReporter', 3050, 7200)"
_WORKER = (
    "INSERT INTO wm_workers (component_id, name, last_updated, state, pid, poll_interval)"
    f" VALUES (50, 'ArchiveDataPoller', {LATE}, 'Running', 3050, 300)"
)


def _job(state: str, *, site: str = "T3_XX_Plain", group: str | int = 1) -> str:
    """Make a job at a site."""
    return (
        "INSERT INTO wmbs_job (jobgroup, state, state_time, location)"
        f" SELECT {group}, s.id, 0, l.id FROM wmbs_job_state s, wmbs_location l"
        f" WHERE s.name = '{state}' AND l.site_name = '{site}'"
    )


def _batch(status: str, *, job: str = _JOB, mark: str = "1", retry: int = 0) -> str:
    """Make a batch row of the newest job, or of another."""
    return (
        "INSERT INTO bl_runjob (wmbs_id, status, sched_status, retry_count)"
        f" SELECT {job}, '{mark}', id, {retry} FROM bl_status WHERE name = '{status}'"
    )


def _site(name: str, change: str) -> str:
    return f"UPDATE wmbs_location SET {change} WHERE site_name = 'T3_XX_{name}'"


ODDITIES: Mapping[str, tuple[str, ...]] = {
    "batch_row_status_unknown": (_job("complete"), _batch("Completed", mark="7")),
    "batch_row_without_job": (_batch("Running", job="NULL"),),
    "batch_status_unlisted": (_job("executing"), _batch("Transferring")),
    "batch_status_without_name": (
        _job("executing"),
        (
            "INSERT INTO bl_runjob (wmbs_id, status, sched_status, retry_count)"
            f" VALUES ({_JOB}, '1', {NOWHERE}, 0)"
        ),
    ),
    "heartbeat_implausible": (_COMPONENT, _WORKER),
    "job_active_twice": (_job("executing"), _batch("Idle"), _batch("Running", retry=1)),
    "job_active_not_executing": (_job("jobcooloff"), _batch("Running")),
    "job_executing_without_batch_row": (_job("executing"),),
    "job_executing_without_site": (
        _job("executing"),
        f"UPDATE wmbs_job SET location = NULL WHERE id = {_JOB}",
        _batch("Running"),
        f"INSERT INTO wmbs_job_assoc VALUES ({_JOB}, 1)",
    ),
    "job_input_nowhere": (
        _job("created"),
        f"UPDATE wmbs_job SET location = NULL WHERE id = {_JOB}",
    ),
    "job_site_missing": (
        _job("executing"),
        f"UPDATE wmbs_job SET location = {NOWHERE} WHERE id = {_JOB}",
        _batch("Running"),
    ),
    "job_state_unknown": (
        "INSERT INTO wmbs_job_state (name) VALUES ('hibernating')",
        _job("hibernating"),
    ),
    "job_task_type_missing": (_job("executing", group=NOWHERE), _batch("Running")),
    "pid_implausible": (_ODD_WORKER.format("pid = -1"),),
    # Skim's; so it is not known either whether jobs of that type overflow where they are many
    "priority_implausible": ("UPDATE wmbs_sub_types SET priority = 99999999999 WHERE name = 'Skim'",),
    "row_unreadable": ("INSERT INTO wm_components VALUES (51, '', 3051, 7200)",),
    "site_cms_name_missing": (_site("NoCmsName", "cms_name = NULL"),),
    "site_plugin_missing": (_site("NoPlugin", "plugin = NULL"),),
    "site_plugin_unknown": (_site("UnknownPlugin", "plugin = 'ArcPlugin'"),),
    "site_slots_missing": (_site("NoSlots", "running_slots = NULL"),),
    "site_state_time_missing": (_site("NoStateTime", "state_time = 0"),),
    "site_state_unknown": (_site("StateUnknown", f"state = {NOWHERE}"),),
    "site_without_thresholds": (
        (
            "DELETE FROM rc_threshold WHERE site_id ="
            " (SELECT id FROM wmbs_location WHERE site_name = 'T3_XX_NoThresholds')"
        ),
    ),
    "slots_implausible": (
        (
            "UPDATE rc_threshold SET max_slots = -1 WHERE sub_type_id = 1 AND site_id ="
            " (SELECT id FROM wmbs_location WHERE site_name = 'T3_XX_SlotsImplausible')"
        ),
    ),
    "span_implausible": (_ODD_WORKER.format("poll_interval = -5"),),
    "text_unreadable": (_ODD_WORKER.format("outcome = X'ff'"),),
    "threshold_missing": (_job("executing", site="T3_XX_NoThresholds"), _batch("Running")),
    "threshold_pointless": (f"INSERT INTO rc_threshold VALUES ({NOWHERE}, 1, 5, 5)",),
    "threshold_twice": (
        "INSERT INTO rc_threshold SELECT id, 1, 40, 45 FROM wmbs_location WHERE site_name = 'T3_XX_Twice'",
    ),
    "time_implausible": (_ODD_WORKER.format(f"last_error = {LATE}"),),
    "worker_without_component": (
        (
            "INSERT INTO wm_workers (component_id, name, last_updated, poll_interval)"
            f" VALUES ({NOWHERE}, 'LeftOver', 1700000000, 60)"
        ),
    ),
    "workflow_priority_missing": (
        "INSERT INTO wmbs_workflow VALUES (60, '', 'testbed_unknown', '/t', 'production', 1, 1, 1, NULL)",
        "INSERT INTO wmbs_subscription VALUES (60, 1, 60, 'EventBased', 1, 0, 0)",
        "INSERT INTO wmbs_jobgroup VALUES (60, 60, 'testbed_unknown', 1, 0, NULL)",
        _job("executing", group=60),
        _batch("Running"),
    ),
    # last: a table without its keys, since a name that stands twice is none that the keys let in
    "site_name_twice": (
        "CREATE TABLE without_keys AS SELECT * FROM wmbs_location",
        "DROP TABLE wmbs_location",
        "ALTER TABLE without_keys RENAME TO wmbs_location",
        (
            "INSERT INTO wmbs_location"
            " SELECT 900, site_name, state, cms_name, ce_name, 5, 5, plugin, state_time"
            " FROM wmbs_location WHERE site_name = 'T3_XX_Twice'"
        ),
    ),
}
"""Statements by kind of finding."""

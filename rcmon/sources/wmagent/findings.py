"""What an agent's database can hold that it should not: the kinds, and how they are noted."""

from collections.abc import Mapping
from types import MappingProxyType

from rcmon.sources.noting import Noting

FINDINGS: Mapping[str, str] = MappingProxyType(
    {
        "batch_row_status_unknown": "Batch rows are marked neither active nor done; they are not counted.",
        "batch_row_without_job": "Active batch rows belong to jobs that do not exist; they are not counted.",
        "batch_status_unlisted": "Jobs are in a batch status that the plug-in does not list: class unknown.",
        "batch_status_without_name": "Batch rows are in a status that has no name: class unknown.",
        "heartbeat_implausible": "A worker's heartbeat is ahead of the clock or no time: it is not well.",
        "job_active_twice": "Jobs have several active batch rows; the highest retry count speaks.",
        "job_active_not_executing": "Jobs not in state executing have an active batch row; not counted.",
        "job_executing_without_batch_row": "Jobs are in state executing but have no active batch row.",
        "job_executing_without_site": "Jobs are in state executing but at no site; they are counted at none.",
        "job_input_nowhere": "Unassigned jobs have no site that holds any of their input and may take them.",
        "job_site_missing": "Jobs are at sites that do not exist; they are counted at none.",
        "job_state_unknown": "Jobs are in a state that is none of WMCore's eighteen.",
        "job_task_type_missing": "Jobs belong to no known task type; they are counted at no site.",
        "pid_implausible": "A process number is none that a system gives; it is unknown.",
        "priority_implausible": "A priority is no whole number of 32 bits; jobs of it stand under 0.",
        "row_unreadable": "Rows have no number or name that can be read, or one twice; left out.",
        "site_cms_name_missing": "A site has no CMS name.",
        "site_name_twice": "A site's name stands twice; what the first row says of it counts.",
        "site_plugin_missing": "A site has no plug-in: all its jobs are of class unknown.",
        "site_plugin_unknown": "A site has a plug-in that is not known: all its jobs are of class unknown.",
        "site_slots_missing": "A site has no number of running or pending slots.",
        "site_state_time_missing": "It is not known since when a site is in its state.",
        "site_state_unknown": "A site is in a state that is none of WMCore's four.",
        "site_without_thresholds": "A site has no threshold at all: the agent submits nothing to it.",
        "slots_implausible": "Slots are negative, above ten million or no whole number; they are unknown.",
        "span_implausible": "An interval is negative, longer than ten years or no number; it is unknown.",
        "text_unreadable": "A text is not UTF-8 or too long: what is only shown is mended, else unknown.",
        "threshold_missing": "Jobs are at a site that has no threshold for their task type.",
        "threshold_pointless": "Threshold rows belong to sites or task types that do not exist.",
        "threshold_twice": "A site and task type have several threshold rows; the lowest counts.",
        "time_implausible": "A time is ahead of the clock, before 2000 or no time; it is unknown.",
        "worker_without_component": "Worker rows belong to components that do not exist.",
        "workflow_priority_missing": "Jobs' workflows have no priority; they stand under 0 in the backlog.",
    }
)
"""Every kind of finding that reading an agent's database can give, in one sentence each."""


class Findings(Noting):
    """The findings of one poll of one agent."""

    def __init__(self, agent: str) -> None:
        super().__init__(FINDINGS, agent)

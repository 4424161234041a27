"""What an agent's database can hold that it should not: the kinds, and how they are noted."""

from collections.abc import Mapping
from types import MappingProxyType

from rcmon.model import Meaning
from rcmon.sources.noting import Noting

FINDINGS: Mapping[str, Meaning] = MappingProxyType(
    {
        "batch_row_status_unknown": Meaning(
            "Batch rows are marked neither active nor done; they are not counted."
        ),
        "batch_row_without_job": Meaning(
            "Active batch rows belong to jobs that do not exist; they are not counted."
        ),
        "batch_status_unlisted": Meaning(
            "Jobs are in a batch status that the plug-in does not list: class unknown."
        ),
        "batch_status_without_name": Meaning("Batch rows are in a status that has no name: class unknown."),
        "heartbeat_implausible": Meaning(
            "A worker's heartbeat is ahead of the clock or no time: it is not well.", "warning"
        ),
        "job_active_twice": Meaning("Jobs have several active batch rows; the highest retry count speaks."),
        "job_active_not_executing": Meaning(
            "Jobs not in state executing have an active batch row; not counted."
        ),
        "job_executing_without_batch_row": Meaning(
            "Jobs are in state executing but have no active batch row."
        ),
        "job_executing_without_site": Meaning(
            "Jobs are in state executing but at no site; they are counted at none.", "warning"
        ),
        "job_input_nowhere": Meaning(
            "Unassigned jobs have no site that holds any of their input and may take them.", "warning"
        ),
        "job_site_missing": Meaning(
            "Jobs are at sites that do not exist; they are counted at none.", "warning"
        ),
        "job_state_unknown": Meaning("Jobs are in a state that is none of WMCore's eighteen."),
        "job_task_type_missing": Meaning(
            "Jobs belong to no known task type; they are counted at no site.", "warning"
        ),
        "pid_implausible": Meaning("A process number is none that a system gives; it is unknown."),
        "priority_implausible": Meaning(
            "A priority is no whole number of 32 bits; jobs of it stand under 0."
        ),
        "row_unreadable": Meaning(
            "Rows have no number or name that can be read, or one twice; left out.", "warning"
        ),
        "site_cms_name_missing": Meaning("A site has no CMS name."),
        "site_name_twice": Meaning("A site's name stands twice; what the first row says of it counts."),
        "site_plugin_missing": Meaning(
            "A site has no plug-in: all its jobs are of class unknown.", "warning"
        ),
        "site_plugin_unknown": Meaning(
            "A site has a plug-in that is not known: all its jobs are of class unknown.", "warning"
        ),
        "site_slots_missing": Meaning("A site has no number of running or pending slots.", "warning"),
        "site_state_time_missing": Meaning("It is not known since when a site is in its state."),
        "site_state_unknown": Meaning("A site is in a state that is none of WMCore's four.", "warning"),
        "site_without_thresholds": Meaning(
            "A site has no threshold at all: the agent submits nothing to it.", "warning"
        ),
        "slots_implausible": Meaning(
            "Slots are negative, above ten million or no whole number; they are unknown.", "warning"
        ),
        "span_implausible": Meaning(
            "An interval is negative, longer than ten years or no number; it is unknown."
        ),
        "text_unreadable": Meaning(
            "A text is not UTF-8 or too long: what is only shown is mended, else unknown."
        ),
        "threshold_missing": Meaning(
            "Jobs are at a site that has no threshold for their task type.", "warning"
        ),
        "threshold_pointless": Meaning("Threshold rows belong to sites or task types that do not exist."),
        "threshold_twice": Meaning("A site and task type have several threshold rows; the lowest counts."),
        "time_implausible": Meaning("A time is ahead of the clock, before 2000 or no time; it is unknown."),
        "worker_without_component": Meaning("Worker rows belong to components that do not exist."),
        "workflow_priority_missing": Meaning(
            "Jobs' workflows have no priority; they stand under 0 in the backlog."
        ),
    }
)
"""Every kind of finding that reading an agent's database can give, and what it means."""


class Findings(Noting):
    """The findings of one poll of one agent."""

    def __init__(self, agent: str) -> None:
        super().__init__(FINDINGS, agent)

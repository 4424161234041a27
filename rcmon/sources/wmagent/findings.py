"""What an agent's database can hold that it should not: the kinds, and how they are noted."""

from collections.abc import Mapping
from types import MappingProxyType

from rcmon.model import Finding

FINDINGS: Mapping[str, str] = MappingProxyType(
    {
        "batch_row_status_unknown": "Batch rows are marked neither active nor done; they are not counted.",
        "batch_row_without_job": "Active batch rows belong to jobs that do not exist; they are not counted.",
        "batch_status_unlisted": "Jobs are in a batch status that the plug-in does not list: class unknown.",
        "batch_status_without_name": "Batch rows are in a status that has no name: class unknown.",
        "job_active_twice": "Jobs have several active batch rows; the highest retry count speaks.",
        "job_active_not_executing": "Jobs not in state executing have an active batch row; not counted.",
        "job_executing_without_batch_row": "Jobs are in state executing but have no active batch row.",
        "job_executing_without_site": "Jobs are in state executing but at no site; they are counted at none.",
        "job_input_nowhere": "Unassigned jobs have no site that holds any of their input and may take them.",
        "job_site_missing": "Jobs are at sites that do not exist; they are counted at none.",
        "job_state_unknown": "Jobs are in a state that is none of WMCore's eighteen.",
        "job_task_type_missing": "Jobs belong to no known task type; they are counted at no site.",
        "site_cms_name_missing": "A site has no CMS name.",
        "site_name_twice": "A site's name stands twice; what the first row says of it counts.",
        "site_plugin_missing": "A site has no plug-in: all its jobs are of class unknown.",
        "site_plugin_unknown": "A site has a plug-in that is not known: all its jobs are of class unknown.",
        "site_slots_missing": "A site has no number of running or pending slots.",
        "site_state_time_missing": "It is not known since when a site is in its state.",
        "site_state_unknown": "A site is in a state that is none of WMCore's four.",
        "site_without_thresholds": "A site has no threshold at all: the agent submits nothing to it.",
        "threshold_missing": "Jobs are at a site that has no threshold for their task type.",
        "threshold_pointless": "Threshold rows belong to sites or task types that do not exist.",
        "threshold_twice": "A site and task type have several threshold rows; the lowest counts.",
        "worker_without_component": "Worker rows belong to components that do not exist.",
        "workflow_priority_missing": "Jobs' workflows have no priority; they stand under 0 in the backlog.",
    }
)
"""Every kind of finding that reading an agent's database can give, in one sentence each."""


class Findings:
    """The findings of one poll of one agent, as they are noted."""

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self._findings: list[Finding] = []

    def note(
        self, kind: str, message: str, *, count: int = 1, site: str | None = None, task: str | None = None
    ) -> None:
        """Note `count` things of a kind, unless there are none. Raises KeyError for an unknown kind."""
        FINDINGS[kind]
        if count > 0:
            self._findings.append(Finding(kind, self._agent, message, count, site, task))

    def all(self) -> tuple[Finding, ...]:
        """Give what was noted, ordered by kind, site, task type and message."""
        return tuple(
            sorted(
                self._findings, key=lambda each: (each.kind, each.site or "", each.task or "", each.message)
            )
        )

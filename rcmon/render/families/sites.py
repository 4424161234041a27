"""The families of sites and their task types, as each agent sees them."""

from rcmon.render.families import samples
from rcmon.render.families.family import gauge

_SITE = ("agent", "site")
_TASK = ("agent", "site", "task")

SITE_FAMILIES = (
    gauge(
        "rcmon_site_state",
        (*_SITE, "state"),
        "Whether the agent holds the site in this state: 1 for the state it is in, 0 for the others.",
        samples.site_states,
    ),
    gauge(
        "rcmon_site_state_since_timestamp_seconds",
        _SITE,
        "Since when the site is in its state, in seconds since the epoch.",
        lambda view: ((labels, site.state_time) for labels, site, _ in view.sites),
    ),
    gauge(
        "rcmon_site_running_slots",
        _SITE,
        "Jobs that the agent may have running at the site.",
        lambda view: ((labels, site.running_slots) for labels, site, _ in view.sites),
    ),
    gauge(
        "rcmon_site_pending_slots",
        _SITE,
        "Jobs that the agent may have pending at the site.",
        lambda view: ((labels, site.pending_slots) for labels, site, _ in view.sites),
    ),
    gauge(
        "rcmon_site_running_jobs",
        _SITE,
        "Jobs that run at the site, over all task types.",
        lambda view: ((labels, jobs.running) for labels, _, jobs in view.sites),
    ),
    gauge(
        "rcmon_site_pending_jobs",
        _SITE,
        "Jobs that are pending at the site, over all task types.",
        lambda view: ((labels, jobs.pending) for labels, _, jobs in view.sites),
    ),
    gauge(
        "rcmon_site_backlog_jobs",
        _SITE,
        "Jobs that wait to be created or submitted and may run at the site, over all priorities.",
        samples.site_backlog,
    ),
)

TASK_FAMILIES = (
    gauge(
        "rcmon_task_max_slots",
        _TASK,
        "Jobs of the task type that the agent may have running at the site.",
        lambda view: ((labels, task.max_slots) for labels, task in view.tasks),
    ),
    gauge(
        "rcmon_task_pending_slots",
        _TASK,
        "Jobs of the task type that the agent may have pending at the site.",
        lambda view: ((labels, task.pending_slots) for labels, task in view.tasks),
    ),
    gauge(
        "rcmon_task_jobs",
        (*_TASK, "status"),
        "Jobs of the task type in the batch system for the site, by class of their batch status.",
        samples.task_jobs,
    ),
    gauge(
        "rcmon_task_highest_workflow_priority",
        _TASK,
        "Highest priority of a workflow that has such jobs at the site.",
        lambda view: ((labels, task.wf_highest_priority) for labels, task in view.tasks),
    ),
)

"""The families of agents, their components and workers."""

from rcmon.render.families import samples
from rcmon.render.families.family import Family, gauge

_WORKER = ("agent", "component", "worker")

AGENT_FAMILIES = (
    Family(
        "rcmon_agent_info",
        "info",
        ("agent", "hostname", "version"),
        "Host and version of the agent.",
        samples.agent_info,
    ),
    gauge(
        "rcmon_agent_polled_timestamp_seconds",
        ("agent",),
        "When the poll began that the agent's data is from, in seconds since the epoch.",
        lambda view: ((labels, agent.polled_at) for labels, agent in view.agents),
    ),
    gauge(
        "rcmon_agent_drain",
        ("agent",),
        "Whether the agent is in drain mode.",
        samples.agent_drain,
    ),
    gauge(
        "rcmon_agent_report_timestamp_seconds",
        ("agent",),
        "When the agent wrote its newest report on itself, pushed or in WMStats, in seconds since the epoch.",
        samples.agent_reports,
    ),
    gauge(
        "rcmon_agent_jobs",
        ("agent", "state"),
        "Jobs in the agent's database by state.",
        samples.agent_jobs,
    ),
    gauge(
        "rcmon_agent_batch_jobs",
        ("agent", "phase", "status"),
        "Batch submissions in the agent's database by phase (active, completed) and batch status.",
        samples.agent_batch_jobs,
    ),
    gauge(
        "rcmon_agent_created_jobs",
        ("agent", "task"),
        "Jobs that are created and not yet submitted, by task type.",
        samples.agent_created,
    ),
    gauge(
        "rcmon_agent_executing_jobs",
        ("agent", "task"),
        "Jobs that are submitted and not yet complete, by task type.",
        samples.agent_executing,
    ),
    gauge(
        "rcmon_agent_executing_limit_jobs",
        ("agent",),
        "At how many executing jobs the agent submits no more, where its configuration was told.",
        samples.agent_executing_limit,
    ),
    gauge(
        "rcmon_component_timeout_seconds",
        ("agent", "component"),
        "Age from which a heartbeat of the component's workers is too old.",
        lambda view: view.components.items(),
    ),
    gauge(
        "rcmon_worker_up",
        _WORKER,
        "Whether the worker was well at the poll: in no error and with a heartbeat in time.",
        lambda view: ((labels, int(worker.well)) for labels, worker in view.workers.items()),
    ),
    gauge(
        "rcmon_worker_heartbeat_timestamp_seconds",
        _WORKER,
        "Last heartbeat of the worker, in seconds since the epoch.",
        lambda view: ((labels, worker.last_updated) for labels, worker in view.workers.items()),
    ),
    gauge(
        "rcmon_worker_poll_interval_seconds",
        _WORKER,
        "Configured distance of the worker's rounds.",
        lambda view: ((labels, worker.poll_interval) for labels, worker in view.workers.items()),
    ),
    gauge(
        "rcmon_worker_cycle_duration_seconds",
        _WORKER,
        "Time that the worker's last round took.",
        lambda view: ((labels, worker.cycle_time) for labels, worker in view.workers.items()),
    ),
)

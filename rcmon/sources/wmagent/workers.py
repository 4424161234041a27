"""An agent's components and their worker threads, and which of them are not well."""

from collections.abc import Sequence

from rcmon.model import Component, Worker
from rcmon.sources.database import Row
from rcmon.sources.wmagent.findings import Findings
from rcmon.sources.wmagent.values import number, whole, words

UPDATE_THRESHOLD = 7200.0
"""Seconds that a component's workers may be silent where it does not say (WMCore's HeartbeatAPI)."""


def components(
    rows: Sequence[Row], workers: Sequence[Row], now: float, findings: Findings
) -> tuple[Component, ...]:
    """Make the components with their workers, each sorted by name; `now` is what heartbeats are held to."""
    limits = {row[0]: number(row[3]) or UPDATE_THRESHOLD for row in rows}
    found: dict[int, list[Worker]] = {key: [] for key in limits}
    lost = 0
    for component, *values in workers:
        if component in found:
            found[component].append(_worker(values, now, limits[component]))
        else:
            lost += 1
    findings.note("worker_without_component", "workers whose component does not exist", count=lost)
    made = [
        Component(str(name), whole(pid), limits[key], tuple(sorted(found[key], key=lambda each: each.name)))
        for key, name, pid, _ in rows
    ]
    return tuple(sorted(made, key=lambda component: component.name))


def _worker(row: Sequence[object], now: float, limit: float) -> Worker:
    name, state, last_updated, poll_interval, cycle_time, pid, last_error, outcome, error_message = row
    heartbeat = number(last_updated)
    return Worker(
        name=str(name),
        state=words(state),
        last_updated=heartbeat,
        poll_interval=number(poll_interval),
        cycle_time=number(cycle_time),
        pid=whole(pid),
        last_error=number(last_error),
        outcome=words(outcome),
        error_message=words(error_message),
        problem=_problem(words(state), heartbeat, now, limit),
    )


def _problem(state: str | None, heartbeat: float | None, now: float, limit: float) -> str | None:
    """Judge a worker as WMCore does (WMAgentDBData.getHeartbeatWarning)."""
    if state == "Error":
        return "in state Error"
    if heartbeat is None:
        return "has never reported"
    if now - heartbeat > limit:
        return f"last reported {now - heartbeat:.0f} s ago, more than {limit:.0f} s"
    return None

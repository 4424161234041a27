"""An agent's components and their worker threads, and which of them are not well."""

from collections.abc import Mapping, Sequence

from rcmon.model import Component, Worker
from rcmon.sources.database import Row
from rcmon.sources.plausible import Values, Whose, quoted

UPDATE_THRESHOLD = 7200.0
"""Seconds that a component's workers may be silent where it does not say (WMCore's HeartbeatAPI)."""


def components(rows: Sequence[Row], workers: Sequence[Row], values: Values) -> tuple[Component, ...]:
    """Make the components with their workers, each sorted by name."""
    known = values.table("wm_components", rows, lambda row: _component(row, values))
    first = {component.name: component for component in reversed(known.values())}
    placed = [row for row in workers if row[0] in known]
    lost = "workers whose component does not exist"
    values.findings.note("worker_without_component", lost, count=len(workers) - len(placed))
    found: dict[str, list[Worker]] = {name: [] for name in first}
    made = values.table("wm_workers", placed, lambda row: _worker(row, known, values))
    for (component, _), worker in sorted(made.items()):
        found[component].append(worker)
    return tuple(
        Component(name, first[name].pid, first[name].update_threshold, tuple(found[name]))
        for name in sorted(found)
    )


def _component(row: Row, values: Values) -> tuple[int, Component]:
    """Read a row of wm_components; its workers are still to come."""
    key, name, pid, limit = row
    name = values.name("wm_components.name", name)
    return values.key("wm_components.id", key), Component(
        name=name,
        pid=values.whole("wm_components.pid", pid, Whose(words=f"{name}: ")),
        update_threshold=values.number("wm_components.update_threshold", limit, Whose(words=f"{name}: "))
        or UPDATE_THRESHOLD,
    )


def _worker(row: Row, known: Mapping[int, Component], values: Values) -> tuple[tuple[str, str], Worker]:
    """Read a row of wm_workers; known by the names of its component and its own."""
    key, name, state, last_updated, poll_interval, cycle_time, pid, last_error, outcome, message = row
    component, name = known[key], values.name("wm_workers.name", name)
    whose = Whose(words=f"{component.name}, worker {name}: ")
    state = values.shown("wm_workers.state", state, whose)
    heartbeat = values.number("wm_workers.last_updated", last_updated, whose)
    return (component.name, name), Worker(
        name=name,
        state=state,
        last_updated=heartbeat,
        poll_interval=values.number("wm_workers.poll_interval", poll_interval, whose),
        cycle_time=values.number("wm_workers.cycle_time", cycle_time, whose),
        pid=values.whole("wm_workers.pid", pid, whose),
        last_error=values.number("wm_workers.last_error", last_error, whose),
        outcome=values.shown("wm_workers.outcome", outcome, whose),
        error_message=values.shown("wm_workers.error_message", message, whose),
        problem=_problem(state, heartbeat, last_updated, values.now, component.update_threshold),
    )


def _problem(
    state: str | None, heartbeat: float | None, given: object, now: float, limit: float
) -> str | None:
    """Judge a worker as WMCore does (WMAgentDBData.getHeartbeatWarning); one whose clock lies is not well."""
    if state == "Error":
        return "in state Error"
    if heartbeat is None:
        return f"cannot have reported at {quoted(given)}" if given else "has never reported"
    if now - heartbeat > limit:
        return f"last reported {now - heartbeat:.0f} s ago, more than {limit:.0f} s"
    return None

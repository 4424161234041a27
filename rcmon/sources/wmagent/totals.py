"""Sums over an agent's jobs and batch rows."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from rcmon.model import JOB_STATES
from rcmon.sources.database import Row
from rcmon.sources.plausible import Values, Whose, quoted, text
from rcmon.sources.wmagent.catalog import Catalog
from rcmon.sources.wmagent.reading import Reading
from rcmon.sources.wmagent.values import priority_of


class Unfinished(Struct, frozen=True):
    """What the jobs that may still need a slot come to, those with a site and those without."""

    created: Mapping[str, int]
    """In state created, by task type; every task type is there."""
    executing: Mapping[str, int]
    assigned: Mapping[str, Mapping[int, int]]
    """Those that have a site, by its name and by workflow priority."""
    all_executing: int
    """In state executing, of whatever task type."""


def count_unfinished(reading: Reading, catalog: Catalog, values: Values) -> Unfinished:
    """Count the rows of assigned_jobs.sql and unassigned_jobs.sql."""
    by_task = {state: dict.fromkeys(_task_types(catalog), 0) for state in ("created", "executing")}
    assigned: defaultdict[str, Counter[int]] = defaultdict(Counter)
    odd: Counter[str] = Counter()
    executing = 0
    for state, location, subtype, given, count in _jobs(reading):
        name, jobs = catalog.job_states.get(state, ""), int(count)
        task, site = catalog.task_types.get(subtype), catalog.sites.get(location)
        executing += jobs if name == "executing" else 0
        if task is None:
            odd["job_task_type_missing"] += jobs
        elif name in by_task:
            by_task[name][task.name] += jobs
        priority = priority_of(given)
        if given is None:
            odd["workflow_priority_missing"] += jobs
        elif priority is None:  # to be noted
            values.whole("wmbs_workflow.priority", given, Whose(site=site.name if site else None, count=jobs))
        if site is not None:
            assigned[site.name][priority or 0] += jobs
        elif location is not None:
            odd["job_site_missing"] += jobs
        elif name == "executing":
            odd["job_executing_without_site"] += jobs
    for kind, message in _MESSAGES.items():
        values.findings.note(kind, message, count=odd[kind])
    return Unfinished(by_task["created"], by_task["executing"], assigned, executing)


def _jobs(reading: Reading) -> Iterator[Row]:
    """Give state, site, task type and priority, all as numbers, of how many jobs."""
    yield from reading.assigned_jobs
    for state, _, subtype, priority, _, count in reading.unassigned_jobs:
        yield state, None, subtype, priority, count


_MESSAGES = {
    "job_task_type_missing": "jobs whose job group, subscription or task type does not exist",
    "workflow_priority_missing": "jobs whose workflow has no priority or does not exist",
    "job_site_missing": "jobs at a site that does not exist",
    "job_executing_without_site": "jobs in state executing without a site",
}


def jobs_by_state(rows: Sequence[Row], catalog: Catalog, values: Values) -> Mapping[str, int]:
    """Count all jobs by state: WMCore's eighteen, and whatever else the agent names."""
    counts = dict.fromkeys(JOB_STATES, 0)
    for state, count in rows:
        name = catalog.job_states.get(state)
        if name not in JOB_STATES:
            message = f"jobs in state {name or 'without a name'}"
            values.findings.note("job_state_unknown", message, count=int(count))
        if name is not None:
            counts[name] = counts.get(name, 0) + int(count)
    return counts


class BatchRows(Struct, frozen=True):
    """Batch rows by batch status, zero-filled over the agent's bl_status."""

    active: Mapping[str, int]
    completed: Mapping[str, int]


def batch_rows(rows: Sequence[Row], catalog: Catalog, values: Values) -> BatchRows:
    """Count the rows of batch_rows.sql; one whose status has no name is not counted."""
    names = sorted(set(catalog.batch_statuses.values()))
    counts = {"1": dict.fromkeys(names, 0), "0": dict.fromkeys(names, 0)}
    for given, status, count in rows:
        name, side = catalog.batch_statuses.get(status), counts.get((text(given) or "").strip())
        if side is None:
            message = f"batch rows whose status is {quoted(given)}, which is neither 1 nor 0"
            values.findings.note("batch_row_status_unknown", message, count=int(count))
        elif name is not None:
            side[name] += int(count)
    return BatchRows(counts["1"], counts["0"])


def _task_types(catalog: Catalog) -> Sequence[str]:
    return sorted(task.name for task in catalog.task_types.values())

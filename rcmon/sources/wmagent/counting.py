"""Jobs in the batch system, each counted once: by site, task type and class."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from msgspec import Struct

from rcmon.model import JOB_CLASSES, JobClass, Jobs
from rcmon.sources.database import Row
from rcmon.sources.plausible import whole
from rcmon.sources.wmagent.batch import PLUGINS, job_class
from rcmon.sources.wmagent.catalog import Catalog, SiteRow
from rcmon.sources.wmagent.findings import Findings
from rcmon.sources.wmagent.holders import Cell, Held
from rcmon.sources.wmagent.values import priority_of

FINISHED = frozenset({"success", "complete", "exhausted", "cleanout", "killed"})
"""States of jobs that need no slot any more (WMCore's ListThresholdsForCreate)."""

Place = tuple[str, str]
"""Name of a site, name of a task type."""


class Active(Struct, frozen=True):
    """What the active batch rows come to."""

    jobs: Mapping[Place, Jobs]
    """Jobs in state executing."""
    highest: Mapping[Place, int]
    """The highest workflow priority among them, whatever their class."""
    running: Mapping[tuple[str, int], int]
    """Unfinished jobs of class running, by site and workflow priority: they wait for nothing."""
    executing: int
    """Jobs in state executing, at whatever site."""
    held: Held
    """Jobs in state executing that are pending or running, by workflow too."""


class ActiveCount:
    """Adds up the rows of active_jobs.sql."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._jobs: defaultdict[Place, dict[JobClass, int]] = defaultdict(
            lambda: dict.fromkeys(JOB_CLASSES, 0)
        )
        self._highest: dict[Place, int] = {}
        self._running: Counter[tuple[str, int]] = Counter()
        self._odd: Counter[str] = Counter()
        self._unlisted: Counter[tuple[str, str]] = Counter()
        self._executing = 0
        self._pending: defaultdict[Cell, int] = defaultdict(int)
        self._on_slots: defaultdict[Cell, int] = defaultdict(int)

    def add(self, row: Row) -> None:
        """Add one row: `count` batch rows of jobs that do not differ in anything that matters here."""
        speaks, has_job, state, location, subtype, given, status, workflow, count = row
        count, priority = int(count), priority_of(given)
        if not has_job:
            self._odd["batch_row_without_job"] += count
            return
        if not speaks:
            self._odd["job_active_twice"] += count
            return
        site = self._catalog.sites.get(location)
        name = self._catalog.batch_statuses.get(status)
        if name is None:
            self._odd["batch_status_without_name"] += count
        sort = job_class(site.plugin if site else None, name)
        state = self._catalog.job_states.get(state)
        if site and sort == "running" and state not in FINISHED:
            self._running[site.name, priority or 0] += count
        if state != "executing":
            self._odd["job_active_not_executing"] += count
            return
        self._executing += count
        task = self._catalog.task_types.get(subtype)
        if site and task:
            self._add_executing((site.name, task.name), sort, priority, count)
            if sort == "pending":
                self._pending[site.name, task.name, whole(workflow)] += count
            elif sort == "running":
                self._on_slots[site.name, task.name, whole(workflow)] += count
            self._check_listed(site, name, count)

    def result(self, findings: Findings) -> Active:
        """Give the sums, and note what was odd."""
        for kind, message in _MESSAGES.items():
            findings.note(kind, message, count=self._odd[kind])
        for (plugin, status), count in self._unlisted.items():
            findings.note(
                "batch_status_unlisted", f"{plugin} does not list the batch status {status}", count=count
            )
        jobs = {place: Jobs(*counts.values()) for place, counts in self._jobs.items()}
        held = {
            cell: (self._pending.get(cell, 0), self._on_slots.get(cell, 0))
            for cell in self._pending.keys() | self._on_slots.keys()
        }
        return Active(jobs, self._highest, self._running, self._executing, held)

    def _add_executing(self, place: Place, sort: JobClass, priority: int | None, count: int) -> None:
        self._jobs[place][sort] += count
        if priority is not None:
            self._highest[place] = max(priority, self._highest.get(place, priority))

    def _check_listed(self, site: SiteRow, status: str | None, count: int) -> None:
        plugin = site.plugin or ""
        if status is not None and status not in PLUGINS.get(plugin, {status}):
            self._unlisted[plugin, status] += count


_MESSAGES = {
    "batch_row_without_job": "active batch rows whose job does not exist",
    "job_active_twice": "further active batch rows of jobs that have one",
    "batch_status_without_name": "active batch rows whose status bl_status does not name",
    "job_active_not_executing": "jobs with an active batch row in another state than executing",
}


def count_active(rows: Iterable[Row], catalog: Catalog, findings: Findings) -> Active:
    """Count the rows of active_jobs.sql."""
    count = ActiveCount(catalog)
    for row in rows:
        count.add(row)
    return count.result(findings)

"""An agent's sites, put together from what was counted."""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from rcmon.model import AgentSite, Jobs, Task
from rcmon.sources.database import Row
from rcmon.sources.noting import Noting
from rcmon.sources.plausible import Values, Whose
from rcmon.sources.wmagent.backlog import backlog
from rcmon.sources.wmagent.catalog import Catalog, SiteRow, TaskType, first_of_each_name
from rcmon.sources.wmagent.counting import Active
from rcmon.sources.wmagent.totals import Unfinished


class Threshold(Struct, frozen=True):
    """What the agent lets one task type have at one site."""

    max_slots: int | None
    pending_slots: int | None


Thresholds = Mapping[str, Mapping[str, Threshold]]
"""By name of the site and of the task type."""


def thresholds(rows: Sequence[Row], catalog: Catalog, values: Values) -> Thresholds:
    """Take the first of the rows of each site and task type, which is the lowest: see thresholds.sql.

    Which of two rows an agent goes by is for chance to say; the lower one never promises too much.
    """
    found: dict[str, dict[str, Threshold]] = {}
    pointless = 0
    twice: Counter[tuple[str, str]] = Counter()
    for location, subtype, max_slots, pending_slots in rows:
        site, task = catalog.sites.get(location), catalog.task_types.get(subtype)
        if site is None or task is None:
            pointless += 1
        elif task.name in found.setdefault(site.name, {}):
            twice[site.name, task.name] += 1
        else:
            whose = Whose(site=site.name, task=task.name)
            found[site.name][task.name] = Threshold(
                values.whole("rc_threshold.max_slots", max_slots, whose),
                values.whole("rc_threshold.pending_slots", pending_slots, whose),
            )
    message = "threshold rows whose site or task type does not exist"
    values.findings.note("threshold_pointless", message, count=pointless)
    for (name, type_name), count in twice.items():
        message = "further threshold rows"
        values.findings.note("threshold_twice", message, count=count, site=name, task=type_name)
    return found


class SiteMaker:
    """Makes the sites of one agent."""

    def __init__(
        self,
        catalog: Catalog,
        limits: Thresholds,
        active: Active,
        unfinished: Unfinished,
        waiting: Mapping[int, Counter[int]],
    ) -> None:
        self._catalog = catalog
        self._limits = limits
        self._active = active
        self._unfinished = unfinished
        self._waiting = waiting
        self._task_types = {task.name: task for task in catalog.task_types.values()}
        self._jobs: dict[str, dict[str, Jobs]] = {}
        for (site, task), jobs in active.jobs.items():
            self._jobs.setdefault(site, {})[task] = jobs
        self._running: dict[str, dict[int, int]] = {}
        for (site, priority), count in active.running.items():
            self._running.setdefault(site, {})[priority] = count
        self._ids: dict[str, list[int]] = {}
        for key, row in catalog.sites.items():
            self._ids.setdefault(row.name, []).append(key)

    def sites(self, pnns: Sequence[Row], values: Values) -> Mapping[str, AgentSite]:
        """Make all sites, sorted by name."""
        storages: dict[int, set[str]] = {}
        for location, _, given in pnns:
            if name := values.shown("wmbs_pnns.pnn", given):
                storages.setdefault(location, set()).add(name)
        made = {}
        for _, row in sorted(first_of_each_name(self._catalog.sites), key=lambda each: each[1].name):
            names: set[str] = set().union(*(storages.get(key, set()) for key in self._ids[row.name]))
            made[row.name] = self._site(row, tuple(sorted(names)), values.findings)
        return made

    def _site(self, row: SiteRow, pnns: tuple[str, ...], findings: Noting) -> AgentSite:
        limits, jobs = self._limits.get(row.name, {}), self._jobs.get(row.name, {})
        if not limits:
            findings.note("site_without_thresholds", "has no threshold row", site=row.name)
        for name in sorted(set(jobs) - set(limits)):
            count = sum(getattr(jobs[name], field) for field in Jobs.__struct_fields__)
            message = "jobs of a task type without a threshold row here"
            findings.note("threshold_missing", message, count=count, site=row.name, task=name)
        return AgentSite(
            **structs.asdict(row),
            pnns=pnns,
            tasks={name: self._task(row, self._task_types[name]) for name in sorted({*limits, *jobs})},
            backlog=backlog(
                self._unfinished.assigned.get(row.name, {}),
                self._running.get(row.name, {}),
                [self._waiting.get(key, {}) for key in self._ids[row.name]],
            ),
        )

    def _task(self, row: SiteRow, task: TaskType) -> Task:
        limit = self._limits.get(row.name, {}).get(task.name, Threshold(None, None))
        jobs = self._jobs.get(row.name, {}).get(task.name, Jobs())
        highest = self._active.highest.get((row.name, task.name))
        return Task(limit.max_slots, limit.pending_slots, task.priority, jobs, highest)

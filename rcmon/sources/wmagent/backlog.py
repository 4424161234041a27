"""The creation backlog: what waits for a site, by workflow priority (WMCore's ListThresholdsForCreate)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from rcmon.sources.database import Row
from rcmon.sources.plausible import whole
from rcmon.sources.wmagent.findings import Findings
from rcmon.sources.wmagent.reading import Reading
from rcmon.sources.wmagent.values import numbers, priority_of

ByPriority = Mapping[int, int]


class Places:
    """Where unassigned jobs may run: at the sites that hold any of their input and are valid for them."""

    def __init__(self, pnns: Sequence[Row], valid_sites: Sequence[Row]) -> None:
        self._holders: dict[int, set[int]] = {}
        for location, pnn, _ in pnns:
            if location is not None and pnn is not None:
                self._holders.setdefault(pnn, set()).add(location)
        self._valid: dict[int, set[int]] = {}
        self._barred: dict[int, set[int]] = {}
        for subscription, valid, sites in valid_sites:
            listed = self._valid if whole(valid) == 1 else self._barred
            listed.setdefault(subscription, set()).update(numbers(sites))
        self._known: dict[str | None, frozenset[int]] = {}

    def of(self, subscription: int | None, storages: str | None) -> frozenset[int]:
        """Give the ids of the sites for a subscription's jobs whose input is at a set of storages.

        A site is valid that is listed so, or, where none is, one that is not listed otherwise.
        """
        if storages not in self._known:
            at = (self._holders.get(pnn, ()) for pnn in numbers(storages))
            self._known[storages] = frozenset().union(*at)
        sites = self._known[storages]
        if subscription is None:
            return frozenset()
        if valid := self._valid.get(subscription):
            return sites & valid
        return sites - self._barred.get(subscription, set())


def unassigned(reading: Reading, findings: Findings) -> Mapping[int, Counter[int]]:
    """Count the jobs that no site has yet, by site id and priority: each at every site that may take it."""
    places = Places(reading.pnns, reading.valid_sites)
    waiting: defaultdict[int, Counter[int]] = defaultdict(Counter)
    nowhere = 0
    for _, subscription, _, given, storages, count in reading.unassigned_jobs:
        priority = priority_of(given)
        jobs, sites = int(count), places.of(subscription, storages)
        if not sites:
            nowhere += jobs
        for site in sites:
            waiting[site][priority or 0] += jobs
    findings.note(
        "job_input_nowhere", "unassigned jobs that no site can take: their input is at none", count=nowhere
    )
    return waiting


def backlog(assigned: ByPriority, running: ByPriority, waiting: Iterable[ByPriority]) -> ByPriority:
    """Add up one site's backlog, sorted by priority.

    Priorities with no job are kept where WMCore keeps them: those of assigned jobs that all run, and 0
    where no unassigned job waits. Where the database moved between two statements, more jobs may run than
    are assigned; the difference counts as none.
    """
    total = Counter(
        {priority: max(0, jobs - running.get(priority, 0)) for priority, jobs in assigned.items()}
    )
    found = [by_priority for by_priority in waiting if by_priority]
    for by_priority in found or [{0: 0}]:
        for priority, jobs in by_priority.items():
            total[priority] += jobs
    return dict(sorted(total.items()))

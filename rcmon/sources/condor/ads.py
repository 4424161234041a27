"""Job ads put together: by agent, site and task type."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from rcmon.errors import UNREADABLE, SourceError
from rcmon.model import Pressure
from rcmon.sources.noting import Noting

IDLE, RUNNING, TRANSFERRING = 1, 2, 6
"""`JobStatus` of what counts; a job that transfers its output still runs. 3 removed, 4 completed, 5 held,
7 suspended are neither."""
STATUSES = range(1, 8)
_EXPRESSION = "/Expr("
"""So begins what `condor_q -json` writes for an attribute that it could not evaluate."""
_LONGEST = 255

Cell = tuple[str, str, str]
"""Agent, site and task type."""
Counted = dict[str, dict[str, dict[str, Pressure]]]


class _Ad(Struct):
    """One job's ad (ClassAd), of which only this is read."""

    status: Any = field(name="JobStatus", default=None)
    task: Any = field(name="CMS_JobType", default=None)
    agent: Any = field(name="WMAgent_AgentName", default=None)
    desired: Any = field(name="DESIRED_Sites", default=None)
    site: Any = field(name="MachineAttrGLIDEIN_CMSSite0", default=None)


class UnreadableAdError(SourceError):
    """An ad that cannot be counted, and of which kind of finding it is."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Ads:
    """Counts ads one by one. `agent`: whose they all are; None: each says it."""

    def __init__(self, findings: Noting, agent: str | None = None) -> None:
        self._findings, self._agent = findings, agent
        self._idle: Counter[tuple[str, str, str]] = Counter()
        """By agent, task type and list of sites as it is written: thousands of jobs share one."""
        self._lists: dict[str, tuple[str, ...]] = {}
        self._running: Counter[Cell] = Counter()
        self._lost: Counter[str] = Counter()
        self._first: dict[str, str] = {}

    def take(self, raw: Raw) -> None:
        """Count an ad; one that cannot be read costs itself."""
        try:
            self._count(_decoded(raw))
        except UnreadableAdError as error:
            self._lost[error.kind] += 1
            self._first.setdefault(error.kind, str(error))

    def counted(self) -> Counted:
        """Give what was counted, sorted, and note what was not."""
        for kind, lost in self._lost.items():
            self._findings.note(kind, f"the first because {self._first[kind]}", count=lost)
        made: Counted = {} if self._agent is None else {self._agent: {}}
        matching, unique = self._spread()
        for cell in sorted({*matching, *self._running}):
            agent, site, task = cell
            pressure = Pressure(matching[cell], unique[cell], self._running[cell])
            made.setdefault(agent, {}).setdefault(site, {})[task] = pressure
        return made

    def _count(self, ad: _Ad) -> None:
        if type(ad.status) is not int or ad.status not in STATUSES:
            raise UnreadableAdError(
                "condor_ad_unreadable", f"JobStatus is {ad.status!r:.60}; right is 1 to 7"
            )
        agent = self._agent or _word(ad.agent)
        if agent is None:
            raise UnreadableAdError("condor_ad_of_no_agent", f"WMAgent_AgentName is {ad.agent!r:.60}")
        task = _word(ad.task)
        if task is None:
            raise UnreadableAdError("condor_ad_unreadable", f"CMS_JobType is {ad.task!r:.60}")
        if ad.status == IDLE:
            if not isinstance(ad.desired, str) or ad.desired not in self._lists:
                sites = tuple(_sites(ad.desired))
                self._lists[ad.desired] = sites
            self._idle[agent, task, ad.desired] += 1
        elif ad.status in {RUNNING, TRANSFERRING}:
            place = _word(ad.site)
            if place is None:
                shown = f"MachineAttrGLIDEIN_CMSSite0 is {ad.site!r:.60}"
                raise UnreadableAdError("condor_running_nowhere", shown)
            self._running[agent, place, task] += 1

    def _spread(self) -> tuple[Counter[Cell], Counter[Cell]]:
        """Count the idle jobs at each site that they may go to, and at the only one."""
        matching: Counter[Cell] = Counter()
        unique: Counter[Cell] = Counter()
        for (agent, task, desired), jobs in self._idle.items():
            sites = self._lists[desired]
            for site in sites:
                matching[agent, site, task] += jobs
            if len(sites) == 1:
                unique[agent, sites[0], task] += jobs
        return matching, unique


def _decoded(raw: Raw) -> _Ad:
    try:
        return msgspec.json.decode(raw, type=_Ad)
    except UNREADABLE as error:
        raise UnreadableAdError("condor_ad_unreadable", f"it is no ad: {error}") from error


def _sites(desired: Any) -> Iterator[str]:
    """Read a list of sites, each once; the separators are ClassAds' own, comma and blank."""
    if not isinstance(desired, str) or desired.startswith(_EXPRESSION):
        raise UnreadableAdError("condor_idle_nowhere", f"DESIRED_Sites is {desired!r:.60}")
    names = dict.fromkeys(desired.replace(",", " ").split())
    if not names:
        raise UnreadableAdError("condor_idle_nowhere", f"DESIRED_Sites is {desired!r:.60}")
    odd = next((name for name in names if _word(name) is None), None)
    if odd is not None:
        raise UnreadableAdError("condor_ad_unreadable", f"DESIRED_Sites names {odd!r:.60}")
    yield from names


def _word(value: Any) -> str | None:
    """Take a name; None where it is none."""
    sound = isinstance(value, str) and value.isprintable() and 0 < len(value) <= _LONGEST
    return value if sound and not value.startswith(_EXPRESSION) and value != "undefined" else None

"""What sources other than an agent's database say: site status, names, agents' own reports, job ads.

Times are seconds since the epoch (UTC). `None` always means "not known", never zero.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from rcmon.model.finding import Finding
from rcmon.model.freshness import is_of_now

REPORT_STALE_AFTER = 1200.0
"""Seconds after which an agent's report says nothing about now, as WMStats sees it."""


class Manual(Struct, frozen=True):
    """A person's word in the site status board, which goes before the automatic one."""

    status: str | None
    mode: str | None
    """`latched` (until it is removed), `toggle` (until the automatic status agrees) or `oneday`."""
    when: float | None
    who: str | None
    why: str | None


class SiteStatus(Struct, frozen=True):
    """What the site status board (SSB) says of one site: the sts15min and scap15min metrics."""

    status: str | None
    """`prod_status`: enabled, drain, disabled, test, or whatever else it says."""
    reason: str | None
    """Why: the `Prod` part of its detail."""
    status_time: float | None
    """When the status was written; that is done on a change and after midnight only."""
    manual: Manual | None
    cpu: int | None
    """`core_cpu_intensive`: cores for jobs that compute."""
    io: int | None
    """`core_io_intensive`: cores for jobs that read and write."""
    capacity_time: float | None
    """When the cores were written."""


class SiteNames(Struct, frozen=True):
    """What the catalogue of the grid (CRIC) says of one processing site."""

    cms_name: str | None
    pnns: tuple[str, ...]
    """Names of the storage it reads from, sorted."""


class QueuedWork(Struct, frozen=True):
    """What stands in an agent's own work queue, Available, for one site."""

    jobs: int
    """Jobs of the elements that could run at the site: never to be added up over sites."""
    unique_jobs: int
    """Jobs of those that could run nowhere else."""


class AgentReport(Struct, frozen=True):
    """What an agent says of itself (WMStats' agent_info), which its database does not hold."""

    time: float
    """When the agent wrote it."""
    team: str | None
    version: str | None
    status: str | None
    """ok, warning, error or down, as the agent sees itself."""
    drain: bool | None
    """Whether it is in drain mode."""
    down_components: tuple[str, ...] | None = None
    """Sorted."""
    warnings: tuple[str, ...] = ()
    """One sentence each: full disks, a proxy about to expire, data that could not be gathered."""
    queued: Mapping[str, QueuedWork] | None = None
    """Available work in the agent's own queue by site; None: it does not say."""
    queued_by_priority: Mapping[int, int] | None = None
    """Jobs Available in the agent's own queue by workflow priority, over all sites."""
    queue_limits: Mapping[str, float] | None = None
    """By CMS name the pending slots of Normal sites (`thresholdsGQ2LQ`), of which the agent's own queue takes
    a part (QueueDepth)."""
    host: str | None = None
    """Its host, of `agent_url`."""
    received: float | None = None
    """When it was pushed here; None: it was read from WMStats."""

    def is_stale(self, now: float) -> bool:
        """Tell whether it is too old, or too far ahead, to say anything about `now` (epoch)."""
        return not is_of_now(self.time, now, REPORT_STALE_AFTER)


class Submission(Struct, frozen=True):
    """What an agent's JobSubmitter did with the jobs of one task type at one site in its last round."""

    submitted: int
    refused: Mapping[str, int] = {}
    """Jobs that it did not submit there by WMCore's own word, such as NoPendingSlot, sorted."""


class SubmitReport(Struct, frozen=True):
    """What an agent's JobSubmitter says of its last round ("Site submission report").

    A job may stand at several sites: never to be added up over sites.
    """

    time: float
    """When it was pushed here: it bears no time of its own."""
    sites: Mapping[str, Mapping[str, Submission]] = {}
    """By site and task type, sorted."""

    def is_stale(self, now: float) -> bool:
        """Tell whether it is too old, or too far ahead, to say anything about `now` (epoch)."""
        return not is_of_now(self.time, now, REPORT_STALE_AFTER)


class Pressure(Struct, frozen=True):
    """Idle and running jobs of the batch system at one site for one agent and task type, from job ads."""

    matching_idle: int
    """Idle jobs that could run at the site: never to be added up over sites."""
    unique_idle: int
    """Idle jobs that can run nowhere else."""
    running: int


class Upstream(Struct, frozen=True):
    """What one source, or all together, say beside the agents' databases; None: nobody says it."""

    sites: Mapping[str, SiteStatus] | None = None
    """By site name, sorted."""
    names: Mapping[str, SiteNames] | None = None
    """By processing site name, sorted."""
    reports: Mapping[str, AgentReport] | None = None
    """By agent name, sorted."""
    pressure: Mapping[str, Mapping[str, Mapping[str, Pressure]]] | None = None
    """By agent, site and task type, each sorted."""
    submitted: Mapping[str, SubmitReport] | None = None
    """What JobSubmitter says, by agent name, sorted."""
    findings: tuple[Finding, ...] = ()
    """What is odd in what it says."""


def together(parts: Iterable[Upstream]) -> Upstream:
    """Put together what several sources say; where two speak of one name, the first has it.

    Of an agent's reports the newest counts, whoever has it.
    """
    sites, names, reports, pressure, submitted = None, None, None, None, None
    given = tuple(parts)
    for part in reversed(given):
        sites = part.sites if sites is None else {**sites, **(part.sites or {})}
        names = part.names if names is None else {**names, **(part.names or {})}
        reports = part.reports if reports is None else _newest(part.reports or {}, reports)
        pressure = part.pressure if pressure is None else {**pressure, **(part.pressure or {})}
        submitted = part.submitted if submitted is None else {**submitted, **(part.submitted or {})}
    findings = tuple(finding for part in given for finding in part.findings)
    return Upstream(sites, names, reports, pressure, submitted, findings)


def _newest(first: Mapping[str, AgentReport], others: Mapping[str, AgentReport]) -> Mapping[str, AgentReport]:
    """Take each agent's newest report; of two of one time that of `first`."""
    newer = {name: one for name, one in first.items() if name not in others or one.time >= others[name].time}
    return {name: newer.get(name) or others[name] for name in sorted({*others, *newer})}

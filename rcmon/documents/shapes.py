"""The JSON documents' shapes: what the collector encodes and what the web side documents.

Every time is ISO 8601 in UTC; every `None` is written as null and means "not known", never zero. The
documents in WMCore's own shapes are in `rcmon.documents.wmcore`.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from rcmon.documents.drift import ForecastShape, Inputs
from rcmon.documents.health import AgentHealth
from rcmon.documents.then import Then
from rcmon.model import Override, SourceState


class JobCounts(Struct, frozen=True, gc=False):
    """Jobs in state `executing` with an active batch row, by class of their batch status."""

    pending: int | None
    running: int | None
    error: int | None
    complete: int | None
    unknown: int | None


class TaskShape(Struct, frozen=True, gc=False):
    """One task type at one site in one agent; slots and priority are null without a threshold."""

    max_slots: int | None
    pending_slots: int | None
    priority: int | None
    pending_jobs: int | None
    running_jobs: int | None
    error_jobs: int | None
    complete_jobs: int | None
    unknown_jobs: int | None
    wf_highest_priority: int | None


class AgentSiteShape(Struct, frozen=True, gc=False):
    """One site as one agent sees it."""

    state: str | None
    state_time: str | None
    cms_name: str | None
    plugin: str | None
    pnns: Sequence[str] | None
    running_slots: int | None
    pending_slots: int | None
    running_jobs: int | None
    pending_jobs: int | None
    jobs: JobCounts
    tasks: Mapping[str, TaskShape] | None
    backlog: Mapping[int, int] | None
    """Jobs that wait to be created for this site, by workflow priority."""
    as_of: str | None
    """When the agent was polled for this."""
    stale: bool | None
    """Whether that is an earlier cycle's poll."""


class ShortSite(Struct, frozen=True, gc=False):
    """One site over all agents, without their parts: slots and jobs are sums over the agents."""

    name: str
    tier: str | None
    state: str | None
    """The state all agents agree on; null where they differ or none knows: see `states`."""
    states: Mapping[str, Sequence[str]]
    """Agents by the state they hold the site in."""
    running_slots: int | None
    pending_slots: int | None
    running_jobs: int | None
    pending_jobs: int | None
    jobs: JobCounts


class SiteShape(ShortSite, frozen=True, gc=False):
    """One site over all agents, with each agent's part."""

    agents: Mapping[str, AgentSiteShape]


class SiteThen(SiteShape, frozen=True, kw_only=True):
    """One site at a past moment."""

    timestamp: str | None
    past: Then


class SitesDocument(Struct, frozen=True):
    """All sites, sorted by name."""

    timestamp: str | None
    """Begin of the cycle, as in every document."""
    count: int
    """How many are listed here."""
    total: int
    """How many there are that were asked for."""
    next: str | None
    """Where the list goes on; null: it ends here."""
    past: Then | UnsetType = UNSET
    """Not there in a document of the snapshot."""
    sites: Sequence[SiteShape] = ()
    """The last: they are written one by one."""


class WorkerShape(Struct, frozen=True):
    """One worker thread of one of an agent's components."""

    component: str
    worker: str
    state: str | None
    problem: str | None
    """Why the worker counts as bad; null: it is well."""
    last_updated: str | None
    update_threshold: float
    """Seconds after which its heartbeat is too old."""
    poll_interval: float | None
    cycle_time: float | None
    pid: int | None
    last_error: str | None
    outcome: str | None
    error_message: str | None


class Health(Struct, frozen=True):
    """What an agent's heartbeat says."""

    status: str
    """`ok`; `down` where any worker is bad; `unknown` where no worker is known."""
    down_components: Sequence[str]
    down_component_detail: Sequence[WorkerShape] | None


class BatchJobs(Struct, frozen=True):
    """Batch rows by batch status."""

    active: Mapping[str, int] | None
    completed: Mapping[str, int] | None


class SourceShape(Struct, frozen=True):
    """How the source of an agent's data does."""

    name: str
    kind: str
    up: bool
    stale: bool
    last_success: str | None
    duration: float | None
    error: str | None
    errors_total: int
    polling_since: str | None = None
    """Begin of the poll that the cycle did not wait for."""


class AcknowledgementShape(Struct, frozen=True):
    """Who knows of a finding, and until when that is enough."""

    by: str
    """The subject of the certificate."""
    at: str | None
    until: str | None
    reason: str


class FindingShape(Struct, frozen=True):
    """One finding: what needs attention, and why."""

    id: str
    kind: str
    severity: str
    """critical, warning or info."""
    agent: str | None
    site: str | None
    task: str | None
    source: str | None
    part: str | None
    """Which part of the agent."""
    count: int
    """How many rows, jobs or sites it concerns."""
    message: str
    since: str | None
    last_seen: str | None
    link: str
    """Path of the resource to look at."""
    runbook: str = ""
    """Path of the page that says what to do; empty: it was found by a version without."""
    members: Sequence[str] = ()
    """Ids of the findings that it stands for, where one cause strikes many."""
    acknowledgement: AcknowledgementShape | None = None
    """Who takes it as known, until when and why; null: nobody."""


class AgentReportShape(Struct, frozen=True):
    """What an agent says of itself, pushed or read from WMStats; null: it does not say."""

    time: str | None
    """When the agent wrote it."""
    received: str | None
    """When it was pushed; null: it was read from WMStats."""
    age: float
    """Seconds from `time` to the cycle's begin; below 0 where the agent's clock is ahead."""
    stale: bool
    """Whether it is too old to say anything about now: the agent's fields are not taken from it then."""
    team: str | None
    version: str | None
    status: str | None
    drain: bool | None
    down_components: Sequence[str] | None
    warnings: Sequence[str]


class AgentShort(Struct, frozen=True):
    """One agent in short."""

    name: str
    hostname: str | None
    version: str | None
    status: str
    """Its health: `ok`, `down` or `unknown`."""
    down_components: Sequence[str]
    drain: bool | None
    as_of: str | None
    stale: bool | None
    sites: int
    jobs: JobCounts
    findings: int | None
    team: str | None = None
    report_age: float | None = None
    """Seconds since the agent wrote its newest report; null: there is none."""
    warnings: Sequence[str] | None = ()
    """What it warns of in that, unless it is stale."""


class AgentsDocument(Struct, frozen=True):
    """All agents in short, sorted by name."""

    timestamp: str | None
    count: int
    total: int
    next: str | None
    agents: Sequence[AgentShort]
    past: Then | UnsetType = UNSET


class AgentDocument(Struct, frozen=True):
    """One agent, whole; a count that could not be read is null."""

    name: str
    hostname: str | None
    version: str | None
    timestamp: str | None
    as_of: str | None
    stale: bool | None
    drain: bool | None
    health: Health
    workers: Sequence[WorkerShape] | None
    sites: int
    jobs: JobCounts
    jobs_by_state: Mapping[str, int] | None
    batch_jobs: BatchJobs
    created_by_task: Mapping[str, int] | None
    executing_by_task: Mapping[str, int] | None
    findings: Sequence[FindingShape] | None
    source: SourceShape | None
    thresholds: Inputs | None = None
    """What its thresholds follow from."""
    forecast: ForecastShape | None = None
    """How well its updater's writes were forecast."""
    team: str | None = None
    report: AgentReportShape | None = None
    """What the agent says of itself; null: nothing is known of that."""
    executing_limit: int | None = None
    """At how many executing jobs it submits no more; null: not known."""
    past: Then | UnsetType = UNSET


class FindingsDocument(Struct, frozen=True):
    """All findings."""

    timestamp: str | None
    count: int
    total: int
    next: str | None
    findings: Sequence[FindingShape]


class JobPair(Struct, frozen=True, gc=False):
    """Jobs in the batch system."""

    pending_jobs: int
    running_jobs: int


class HolderShape(Struct, frozen=True, gc=False):
    """One workflow, over the agents that have jobs of it here."""

    workflow: str
    pending_jobs: int
    running_jobs: int
    agents: Mapping[str, JobPair]


class TaskHolders(Struct, frozen=True):
    """Who holds the slots of one task type at one site."""

    task: str
    by_running: Sequence[HolderShape]
    """Those with most running jobs, most first."""
    by_pending: Sequence[HolderShape]
    """Those with most pending jobs, most first."""
    workflows: int
    """How many there are, at least: an agent counts those beyond its longest lists without their names."""
    pending_jobs: int
    running_jobs: int
    """Of all workflows."""
    complete: bool
    """Whether every workflow is known by name in every agent; else one's sums may lack an agent's part."""


class WorkflowsDocument(Struct, frozen=True):
    """Who holds the slots at one site."""

    timestamp: str | None
    site: str
    count: int
    total: int
    next: str | None
    tasks: Annotated[
        Raw, Meta(extra_json_schema={"type": "array", "items": {"$ref": "#/components/schemas/TaskHolders"}})
    ]
    """`TaskHolders`, by task type."""


class Facts(Struct, frozen=True):
    """What the status document and the page say of a snapshot. Times: seconds since the epoch."""

    started: float
    """Begin of the cycle."""
    duration: float
    interval: float
    sources: tuple[SourceState, ...]
    agents: tuple[str, ...]
    """Names of the agents in the snapshot, sorted."""
    findings: int
    """Number of findings."""
    health: tuple[AgentHealth, ...] = ()
    """How the agents do, sorted by name; none from a collector that did not tell yet."""
    overrides: tuple[Override, ...] | None = None
    """What operators set, sorted by site and agent; None from a collector that did not tell yet."""


class KnownJobs(Struct, frozen=True, gc=False, array_like=True):
    """A site's jobs by class, as `rcmon.model.Jobs` has them; None: history does not tell."""

    pending: int | None
    running: int | None
    error: int | None
    complete: int | None
    unknown: int | None


class SiteEntry(Struct, frozen=True):
    """One site in short, for filters, sorting and tables, with its whole JSON document."""

    name: str
    tier: str | None
    state: str | None
    states: dict[str, tuple[str, ...]]
    agents: tuple[str, ...]
    running_slots: int | None
    pending_slots: int | None
    jobs: KnownJobs
    document: bytes
    """The site's JSON object, compact."""
    workflows: bytes | None = None
    """JSON array of `TaskHolders`, compact; None from a collector that did not tell yet."""

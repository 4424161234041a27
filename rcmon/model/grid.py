"""The core types: what a poll gave (Batch), what a cycle concluded (Snapshot), and the words for both.

Times are seconds since the epoch (UTC). `None` always means "not known", never zero. All types are
frozen; they are encoded as MessagePack for the store, so a new field needs a default.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from rcmon.model.control import Override
from rcmon.model.finding import Finding
from rcmon.model.steering import Steered
from rcmon.model.submitter import SubmitterSettings
from rcmon.model.updater import AgentExpected, Drift, Forecast, UpdaterSettings
from rcmon.model.upstream import Upstream, together

PUSHED = "pushed reports"
"""No source is named so: names have no space."""

SITE_STATES = ("Normal", "Draining", "Down", "Aborted")
"""The states of a site in an agent's `wmbs_location_state`, best first."""

JOB_STATES = (
    "new",
    "created",
    "executing",
    "complete",
    "success",
    "retrydone",
    "exhausted",
    "killed",
    "cleanout",
    "createcooloff",
    "createfailed",
    "createpaused",
    "submitcooloff",
    "submitfailed",
    "submitpaused",
    "jobcooloff",
    "jobfailed",
    "jobpaused",
)
"""The eighteen states of a job in an agent's `wmbs_job_state`."""

JobClass = Literal["pending", "running", "error", "complete", "unknown"]
JOB_CLASSES: tuple[JobClass, ...] = ("pending", "running", "error", "complete", "unknown")
"""What a batch status means to resource control (the plug-ins' stateMap), plus unknown for any other."""


class Jobs(Struct, frozen=True, gc=False, array_like=True):
    """Jobs of one site and task type in state `executing` with an active batch row, by class."""

    pending: int = 0
    running: int = 0
    error: int = 0
    complete: int = 0
    unknown: int = 0

    def __add__(self, other: "Jobs") -> "Jobs":
        return Jobs(
            self.pending + other.pending,
            self.running + other.running,
            self.error + other.error,
            self.complete + other.complete,
            self.unknown + other.unknown,
        )


class Task(Struct, frozen=True, array_like=True):
    """One task type at one site in one agent: its threshold (None: no threshold row) and its jobs."""

    max_slots: int | None
    pending_slots: int | None
    priority: int | None
    """Priority of the task type (`wmbs_sub_types.priority`)."""
    jobs: Jobs
    wf_highest_priority: int | None
    """Highest workflow priority among the counted jobs; None where there are none."""


class AgentSite(Struct, frozen=True, array_like=True):
    """One site as one agent sees it."""

    name: str
    state: str | None
    """One of SITE_STATES, or whatever else the agent's database holds; None: not known."""
    state_time: float | None
    """Since when the site is in that state."""
    cms_name: str | None
    plugin: str | None
    running_slots: int | None
    pending_slots: int | None
    pnns: tuple[str, ...] = ()
    """Names of the storage the site reads from, sorted."""
    tasks: Mapping[str, Task] = {}
    """By task type, sorted by name: every type with a threshold or a job here."""
    backlog: Mapping[int, int] = {}
    """Creation backlog (listThresholdsForCreate): jobs that wait for this site, by workflow priority."""

    @property
    def jobs(self) -> Jobs:
        """The site's jobs: the sum over task types."""
        pending = running = error = complete = unknown = 0
        for task in self.tasks.values():  # ten thousands of times in a cycle: no object for each sum
            jobs = task.jobs
            pending += jobs.pending
            running += jobs.running
            error += jobs.error
            complete += jobs.complete
            unknown += jobs.unknown
        return Jobs(pending, running, error, complete, unknown)


class Worker(Struct, frozen=True):
    """One worker thread of an agent's component (`wm_workers`)."""

    name: str
    state: str | None
    last_updated: float | None
    """Its last heartbeat."""
    poll_interval: float | None
    cycle_time: float | None
    """Seconds its last round took."""
    pid: int | None = None
    last_error: float | None = None
    outcome: str | None = None
    error_message: str | None = None
    problem: str | None = None
    """Why the worker counted as bad at the poll (state Error, heartbeat too old); None: it is well."""


class Component(Struct, frozen=True):
    """One component of an agent (`wm_components`) with its workers, sorted by name."""

    name: str
    pid: int | None
    update_threshold: float
    """Seconds after which a worker's heartbeat is too old."""
    workers: tuple[Worker, ...] = ()


class Holder(Struct, frozen=True, gc=False, array_like=True):
    """One workflow at one site and task type."""

    workflow: str
    """The request's name (`wmbs_workflow.name`)."""
    pending: int
    running: int


class Holders(Struct, frozen=True, array_like=True):
    """The workflows at one site and task type: those with most jobs by name, the others added up."""

    named: tuple[Holder, ...]
    """Most running jobs first."""
    others: int = 0
    """How many there are besides."""
    others_pending: int = 0
    others_running: int = 0


class Agent(Struct, frozen=True):
    """One agent as one poll of one source saw it. A count that could not be read is None."""

    name: str
    polled_at: float
    sites: Mapping[str, AgentSite] = {}
    """By site name, sorted."""
    jobs_by_state: Mapping[str, int] | None = None
    """All JOB_STATES, zero-filled."""
    batch_active: Mapping[str, int] | None = None
    """Active batch rows by batch status, zero-filled over the agent's `bl_status`."""
    batch_completed: Mapping[str, int] | None = None
    """Batch rows that are done, by batch status, zero-filled likewise."""
    created_by_task: Mapping[str, int] | None = None
    """Jobs in state created by task type, zero-filled over the agent's task types."""
    executing_by_task: Mapping[str, int] | None = None
    components: tuple[Component, ...] | None = None
    """Sorted by name."""
    hostname: str | None = None
    version: str | None = None
    """Version of the agent's WMCore (`wma_init`)."""
    drain: bool | None = None
    """Whether the agent is in drain mode; None where the source does not say (the database does not)."""
    findings: tuple[Finding, ...] = ()
    """Findings of this poll."""
    team: str | None = None
    """The team that the agent says it belongs to."""
    reported: tuple[str, ...] = ()
    """Names of the fields that the agent's own report said, and not the source."""
    holders: Mapping[str, Mapping[str, Holders]] | None = None
    """Who has jobs in the batch system, by site and task type; None: the source does not tell."""
    updater: UpdaterSettings = UpdaterSettings()
    """How it sets its thresholds, as the source is configured."""
    submitter: SubmitterSettings = SubmitterSettings()
    """What its submission is bound by, as the source is configured."""


class Batch(Struct, frozen=True):
    """What one poll of one source gave."""

    source: str
    kind: str
    polled_at: float
    """When the poll began: nothing in the batch is older."""
    duration: float
    agents: tuple[Agent, ...] = ()
    upstream: Upstream | None = None
    """What it says beside agents' databases; None: its kind says nothing of that."""


class SourceState(Struct, frozen=True):
    """How a source does, as of the end of a cycle."""

    name: str
    kind: str
    up: bool
    """Whether the newest of its polls that ended succeeded; not before one did."""
    stale: bool
    """Whether the snapshot holds data of it that did not come in this cycle."""
    last_success: float | None
    """Begin of its last successful poll: its data are as old."""
    duration: float | None
    """Seconds its newest poll took, failed or not; None before the first."""
    error: str | None
    """Why its newest poll failed."""
    errors_total: int = 0
    """Failed polls since the store was made: it outlives restarts."""
    agents: tuple[str, ...] = ()
    """Names of the agents that it claims; of several sources that claim one, the first configured has it."""
    polling_since: float | None = None
    """Begin of the poll that still ran when the cycle's time was up; None: none did."""


class Site(Struct, frozen=True):
    """One site over all agents that know it."""

    name: str
    tier: str | None
    """T0 to T3, the name's first part; None for a name of another form."""
    state: str | None
    """The state that all agents agree on; None where they differ or none knows."""
    states: Mapping[str, tuple[str, ...]]
    """Agents by the state they hold the site in; an agent that does not know stands under no state."""
    running_slots: int | None
    """Sum over the agents that say; None where none does. Likewise pending_slots."""
    pending_slots: int | None
    jobs: Jobs
    agents: Mapping[str, AgentSite]
    """By agent name, sorted."""


class Snapshot(Struct, frozen=True):
    """The result of one cycle: one consistent view of the whole grid."""

    started: float
    """Begin of the cycle."""
    duration: float
    """Seconds from the begin to the end of merge (rendering and storing not included)."""
    interval: float
    """The configured distance of cycle starts, seconds."""
    sources: tuple[SourceState, ...] = ()
    agents: Mapping[str, Agent] = {}
    """By agent name, sorted; an agent whose source is stale is here with its last data."""
    sites: Mapping[str, Site] = {}
    """By site name, sorted."""
    findings: tuple[Finding, ...] = ()
    """Every agent's findings and those over all agents: what is raised, by cause where that strikes many."""
    watched: tuple[Finding, ...] = ()
    """Everything that was found, one by one, raised or not yet, until it ends."""
    turns: Mapping[str, Mapping[str, tuple[float, ...]]] = {}
    """By agent and site when the site's state changed, of the last day, oldest first."""
    given: Mapping[str, Upstream] = {}
    """By source, as configured, what it says beside the agents' databases; a stale one's last data too.

    Under PUSHED, before all of them, stands what agents pushed.
    """
    expected: Mapping[str, AgentExpected] = {}
    """By agent, what its updater should make of the sites."""
    drift: tuple[Drift, ...] = ()
    """What is otherwise, sorted by agent and site."""
    forecasts: Mapping[str, Forecast] = {}
    """By agent, what its updater should write next; also of those that left while their source is there."""

    overrides: tuple[Override, ...] = ()
    """Those that held at the cycle's begin, sorted by site and agent."""
    believed: float = 0.0
    """The cycle's begin as the clock had told it were it not set within the last hour.

    What ends by time ends by this, lest a clock that jumps ends it.
    """
    steered: Steered = Steered()
    """What was concluded of steering agents, as far as it is to be found."""

    def upstream(self) -> Upstream:
        """Put together what the sources say; where two speak of one name, the first configured has it."""
        return together(self.given.values())


class Document(Struct, frozen=True):
    """One representation of a snapshot, rendered once and served as it is.

    `body` is the whole representation deflated without a header (RFC 1951). Where `open_ended`, the
    deflate stream stops at a byte boundary without a final block, so that a worker can append its own
    part; otherwise it is complete. `size` and `crc32` are those of the inflated bytes, which make the
    gzip trailer (RFC 1952).
    """

    key: str
    media_type: str
    body: bytes
    size: int
    crc32: int
    digest: str
    """Hexadecimal hash of the inflated bytes, or of their parts' hashes: 20 characters, for ETags."""
    open_ended: bool = False


class TaskPoint(Struct, frozen=True, gc=False, array_like=True):
    """One task type at one site in one agent, as kept over time; slots are None without a threshold."""

    task: str
    running_jobs: int | None
    pending_jobs: int | None
    max_slots: int | None
    pending_slots: int | None


class HistoryRow(Struct, frozen=True, gc=False):
    """One site in one agent at one cycle, as kept over time. Nothing known at all: it left the snapshot."""

    time: float
    agent: str
    site: str
    state: str | None
    running_slots: int | None
    pending_slots: int | None
    running_jobs: int | None
    pending_jobs: int | None
    tasks: tuple[TaskPoint, ...] | None = None
    """By task type; None: not kept then."""


class GridPoint(Struct, frozen=True):
    """All sites together at one cycle, as kept over time; None where nobody says."""

    time: float
    sites: Mapping[str, int]
    """How many sites are in each state that all its agents agree on; others: `differing`, `unknown`."""
    running_slots: int | None
    pending_slots: int | None
    running_jobs: int
    pending_jobs: int
    tasks: tuple[TaskPoint, ...] = ()
    """By task type; slots are sums over the sites and agents that have a threshold."""

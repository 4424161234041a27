"""What this program reads of the service's documents: any of it may be missing, more may be there.

None is "not known", as there.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

Number = int | float | None


class JobsSeen(Struct, frozen=True):
    """Jobs by class."""

    pending: Number = None
    running: Number = None


class TaskSeen(Struct, frozen=True):
    """One task type at a site in an agent."""

    max_slots: Number = None
    pending_slots: Number = None
    priority: Number = None
    pending_jobs: Number = None
    running_jobs: Number = None


class AgentSiteSeen(Struct, frozen=True):
    """One site in one agent."""

    state: str | None = None
    state_time: str | None = None
    running_slots: Number = None
    pending_slots: Number = None
    running_jobs: Number = None
    pending_jobs: Number = None
    tasks: Mapping[str, TaskSeen] | None = None
    as_of: str | None = None
    stale: bool | None = None


class SiteSeen(Struct, frozen=True):
    """One site over all agents."""

    name: str
    tier: str | None = None
    state: str | None = None
    states: Mapping[str, Sequence[str]] = field(default_factory=dict)
    running_slots: Number = None
    pending_slots: Number = None
    running_jobs: Number = None
    pending_jobs: Number = None
    agents: Mapping[str, AgentSiteSeen] = field(default_factory=dict)


class AgentSeen(Struct, frozen=True):
    """One agent in short."""

    name: str
    version: str | None = None
    status: str | None = None
    down_components: Sequence[str] = ()
    drain: bool | None = None
    as_of: str | None = None
    stale: bool | None = None
    sites: Number = None
    jobs: JobsSeen = JobsSeen()
    findings: Number = None
    team: str | None = None


class AcknowledgementSeen(Struct, frozen=True):
    """Who knows of a finding."""

    by: str | None = None
    until: str | None = None
    reason: str | None = None


class FindingSeen(Struct, frozen=True):
    """One finding."""

    id: str
    kind: str = ""
    severity: str | None = None
    agent: str | None = None
    site: str | None = None
    task: str | None = None
    message: str = ""
    since: str | None = None
    acknowledgement: AcknowledgementSeen | None = None


class VerdictSeen(Struct, frozen=True):
    """Whether one task type's jobs are submitted, and why not."""

    agent: str
    site: str
    task: str
    submits: bool | None = None
    condition: str | None = None
    reason: str | None = None
    tier: str | None = None
    detail: str = ""


class DriftSeen(Struct, frozen=True):
    """One value that is another than is expected."""

    agent: str
    site: str | None = None
    task: str | None = None
    what: str = ""
    expected: int | float | str | None = None
    actual: int | float | str | None = None
    reason: str | None = None
    detail: str = ""


class EntrySeen(Struct, frozen=True):
    """One entry of the journal."""

    time: str | None = None
    kind: str = ""
    agent: str | None = None
    site: str | None = None
    task: str | None = None
    subject: str | None = None
    old: Mapping[str, object] | None = None
    new: Mapping[str, object] | None = None
    cause: str | None = None
    by: str | None = None


class OverrideSeen(Struct, frozen=True):
    """One override."""

    site: str
    agent: str | None = None
    state: str | None = None
    running_slots: Number = None
    pending_slots: Number = None
    mode: str | None = None
    until: str | None = None
    reason: str | None = None
    by: str | None = None
    made: str | None = None
    version: int | None = None
    etag: str | None = None


class SpotSeen(Struct, frozen=True):
    """What a change made of one place."""

    site: str
    agent: str | None = None
    before: OverrideSeen | None = None
    after: OverrideSeen | None = None


class ChangeSeen(Struct, frozen=True):
    """One change of overrides."""

    number: int | None = None
    time: str | None = None
    by: str | None = None
    cause: str | None = None
    etag: str | None = None
    overrides: Sequence[SpotSeen] = ()


class ValuesSeen(Struct, frozen=True):
    """What holds, or would, at one site in one agent."""

    state: str | None = None
    running_slots: Number = None
    pending_slots: Number = None


class EffectSeen(Struct, frozen=True):
    """What would change at one site in one agent."""

    agent: str
    site: str
    before: ValuesSeen = ValuesSeen()
    after: ValuesSeen = ValuesSeen()
    cache_rebuilt: bool | None = None
    idle_jobs_killed: Number = None
    stale: bool | None = None


class PreviewSeen(Struct, frozen=True):
    """What a change of overrides would do."""

    changes: int = 0
    agents: Sequence[EffectSeen] = ()
    caches_rebuilt: Number = None
    idle_jobs_killed: Number = None
    unknown: Sequence[str] = ()
    needs_force: str | None = None


class NameSeen(Struct, frozen=True):
    """A distinguished name."""

    slash: str = ""


class FqanSeen(Struct, frozen=True):
    """A VOMS attribute."""

    name: str = ""
    verified: bool = False


class WhoamiSeen(Struct, frozen=True):
    """Who the service takes us for."""

    subject: NameSeen = NameSeen()
    issuer: NameSeen = NameSeen()
    roles: Sequence[str] = ()
    agents: Sequence[str] = ()
    expires: str | None = None
    fqans: Sequence[FqanSeen] = ()
    proxy: bool = False
    limited: bool = False


class SnapshotSeen(Struct, frozen=True):
    """What is served."""

    age: Number = None
    agents: Number = None
    findings: Number = None


class StatusSeen(Struct, frozen=True):
    """How the service does."""

    version: str = ""
    status: str = ""
    reasons: Sequence[str] = ()
    now: str | None = None
    timestamp: str | None = None
    cycle_interval: float = 60.0
    snapshot: SnapshotSeen | None = None

    @property
    def age(self) -> float | None:
        """Seconds since the cycle began whose data are served; None: not known."""
        return None if self.snapshot is None or self.snapshot.age is None else float(self.snapshot.age)


class ThresholdSeen(Struct, frozen=True):
    """One task type as WMCore's listThresholdsForSubmit has it."""

    max_slots: Number = None
    pending_slots: Number = None
    priority: Number = None
    task_pending_jobs: Number = None
    task_running_jobs: Number = None


class SiteThresholdsSeen(Struct, frozen=True):
    """One site as WMCore's listThresholdsForSubmit has it."""

    state: str | None = None
    thresholds: Mapping[str, ThresholdSeen] = field(default_factory=dict)
    total_pending_jobs: Number = None
    total_pending_slots: Number = None
    total_running_jobs: Number = None
    total_running_slots: Number = None


class PairSeen(Struct, frozen=True):
    """Jobs of one workflow in one agent."""

    pending_jobs: int = 0
    running_jobs: int = 0


class HolderSeen(Struct, frozen=True):
    """One workflow that holds slots."""

    workflow: str
    agents: Mapping[str, PairSeen] = field(default_factory=dict)


class HoldersSeen(Struct, frozen=True):
    """Who holds the slots of one task type at one site."""

    task: str
    by_running: Sequence[HolderSeen] = ()
    workflows: int = 0

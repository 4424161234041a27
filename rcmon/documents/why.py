"""Why work does not run: what the collector concludes for the web side, and what that answers."""

from collections.abc import Mapping, Sequence

from msgspec import UNSET, Raw, Struct, UnsetType

from rcmon.documents.then import Then
from rcmon.model import Admits


class Age(Struct, frozen=True):
    """How old the data of an agent is."""

    polled_at: float
    stale: bool


class WhyIndex(Struct, frozen=True):
    """All verdicts of a snapshot; a site's are decoded when somebody asks for them."""

    agents: Mapping[str, Age]
    """By name, sorted."""
    sites: Mapping[str, Raw]
    """By name, sorted: MessagePack of `tuple[Place, ...]`, sorted by agent."""


class Numbers(Struct, frozen=True, gc=False):
    """The figures behind an answer; pending jobs are "at" a site by accounting: they wait elsewhere too."""

    site_pending_jobs: int
    site_pending_slots: int | None
    site_running_jobs: int
    site_running_slots: int | None
    task_pending_jobs: int
    task_pending_slots: int | None
    task_running_jobs: int
    task_max_slots: int | None
    task_priority: int | None
    wf_highest_priority: int | None
    overflow_from: int | None
    """The workflow priority from which on jobs overflow what is full; null: none do."""
    matching_idle: int | None
    """Idle jobs that could run here; null: no job ads are known."""
    unique_idle: int | None
    """Those of them that can run nowhere else."""
    submitted: int | None
    """What JobSubmitter itself reported of its last round; null: it did not, or too long ago."""
    refused: Mapping[str, int] | None
    """The same for jobs that it did not submit here, by its tokens."""


class Answer(Struct, frozen=True, gc=False):
    """Whether one task type's jobs are submitted at one site by one agent, and why not."""

    agent: str
    site: str
    task: str
    submits: bool | None
    condition: str | None
    reason: str | None
    tier: str | None
    detail: str
    numbers: Numbers


class AdmissionShape(Struct, frozen=True, gc=False):
    """What one stage lets in for a site."""

    stage: str
    admits: Admits | None
    floor: int | None
    limit: float | None
    counted: float | None


class SiteAdmission(Struct, frozen=True, gc=False):
    """What is let in for one site by one agent, and how old all that is told of the two is."""

    agent: str
    site: str
    state: str | None
    as_of: str | None
    stale: bool | None
    admission: Sequence[AdmissionShape] | None


class WhyDocument(Struct, frozen=True):
    """A page of answers, with the admission of each site and agent that is in it."""

    timestamp: str | None
    count: int
    total: int
    next: str | None
    answers: Sequence[Answer]
    sites: Sequence[SiteAdmission]
    past: Then | UnsetType = UNSET

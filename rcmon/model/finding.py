"""What a finding is: its kind's meaning, and one of them as it is told."""

from typing import Literal

from msgspec import Struct

Severity = Literal["critical", "warning", "info"]
"""critical: work stands still or is lost; warning: somebody should look today; info: what is shown is odd."""
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
"""The worst first."""


class Meaning(Struct, frozen=True):
    """What a kind of finding means."""

    sentence: str
    severity: Severity = "info"
    at_once: bool = False
    """Whether one cycle is enough to raise it."""
    after: float = 0.0
    """Seconds that it must have lasted before it is raised."""
    lasts: float = 0.0
    """Seconds that it is told for after it was last found: for what happens in one cycle."""
    of_old: bool = False
    """Whether it is judged by data of an earlier poll too."""


class Watching(Struct, frozen=True):
    """How findings are raised and cleared: in cycles."""

    raise_after: int = 2
    """A finding is raised when it was found in so many cycles in a row."""
    clear_after: int = 3
    """It ends when it was not found in so many cycles in a row."""


class Finding(Struct, frozen=True):
    """Something that needs an operator's attention, and why.

    `kind` is a key of `rcmon.collector.findings.KINDS` (bounded: it is a metric label); `count` is how many
    rows, jobs or sites it concerns. Who finds it fills what stands before `severity`; the rest is told of it
    by `rcmon.collector.findings`. Times: seconds since the epoch.
    """

    kind: str
    agent: str | None
    message: str
    count: int = 1
    site: str | None = None
    task: str | None = None
    source: str | None = None
    """The source that it concerns, where it is one."""
    part: str | None = None
    """Which part of an agent it concerns, such as a component and worker."""
    severity: Severity = "info"
    id: str = ""
    """The same for as long as it concerns the same: a hash of kind, agent, site, task, source and part."""
    since: float | None = None
    """When it was first found, of the times in a row."""
    last_seen: float | None = None
    """When it was last found: earlier than the snapshot where it could not be judged, or is about to end."""
    seen: int = 0
    """In how many cycles it was found until it was last seen."""
    missed: int = 0
    """In how many cycles in a row it was not found since."""
    raised: bool = False
    """Whether it was found often enough to be told."""
    members: tuple[str, ...] = ()
    """Where it stands for many of one cause: the ids of these, sorted."""

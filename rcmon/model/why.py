"""Whether agents let work in and submit jobs, by site and task type, and why not: what a cycle concludes.

`None` always means "not known" or "none", as each field says, never zero.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

Admits = Literal["all", "above", "none"]


class Admission(Struct, frozen=True, gc=False, array_like=True):
    """What one stage of the work queue lets in for a site: see `rcmon.rules.admission`."""

    stage: str
    admits: Admits | None
    """All work, that above the floor, or none; None: not known."""
    floor: int | None
    """The workflow priority refused with all below it; None where there is none, or it is not known."""
    limit: float | None
    """How many counted jobs the site may have."""
    counted: float | None
    """How many it has."""


class Cell(Struct, frozen=True, gc=False, array_like=True):
    """One task type at one site in one agent: whether its jobs are submitted, and the figures behind that."""

    task: str
    submits: bool | None
    """Whether a job of no higher priority than those that are there is submitted now."""
    condition: str | None
    """WMCore's token for such a job; None where that is JobSubmitReady, or not known."""
    reason: str | None
    """One of `rcmon.rules.reasons.REASONS`, the first that holds; None: nothing stands against it."""
    pending_slots: int | None
    max_slots: int | None
    priority: int | None
    """Of the task type."""
    pending: int
    running: int
    wf_highest_priority: int | None
    matching_idle: int | None = None
    """Idle jobs in the batch system that could run here; None: no job ads are known."""
    unique_idle: int | None = None
    """Those of them that can run nowhere else."""
    submitted: int | None = None
    """Jobs that JobSubmitter says it submitted here in its last round; None: it does not tell."""
    refused: Mapping[str, int] | None = None
    """Jobs that it says it did not, by its tokens."""


class Place(Struct, frozen=True, array_like=True):
    """One site in one agent: what goes for all its task types, and each of them."""

    agent: str
    state: str | None
    state_time: float | None
    pending_slots: int | None
    running_slots: int | None
    pending: int
    running: int
    overflow: float
    """The agent's CondorOverflowFraction."""
    admission: tuple[Admission, ...]
    cells: tuple[Cell, ...]
    """Sorted by task type."""
    words: Mapping[str, str] = {}
    """What is said of a reason that holds here, by its name: the end of a sentence."""
    unique_idle: int | None = None
    """Idle jobs in the batch system that can run nowhere else, of whatever task type; None: no job ads are
    known."""

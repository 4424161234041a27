"""What moves in the demo: jobs, the inputs that they read, and the sites that have room for them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from rcmon.demo.grid import DRAINING_TASKS, Thresholds
from rcmon.demo.lifecycle import PENDING, RUNNING

TASK_SHARES = {
    "Production": 34,
    "Processing": 22,
    "Merge": 14,
    "Cleanup": 10,
    "LogCollect": 8,
    "Skim": 7,
    "Harvesting": 5,
}
"""How new jobs spread over the task types, percent."""


@dataclass(slots=True, eq=False)
class Room:
    """A site as one agent uses it: its state, what may go there and what is there, by task type."""

    row: int
    name: str
    state: str
    limits: Thresholds
    capacity: int
    """Jobs that the batch system really runs there for this agent; never more than the running slots."""
    pending: Counter[str] = field(default_factory=Counter)
    running: Counter[str] = field(default_factory=Counter)

    def takes(self, task: str) -> bool:
        """Tell whether the agent's JobSubmitter would send another job (its rules, in its order)."""
        pending, running = self.pending.total(), self.running.total()
        site, limit = self.limits.site, self.limits.tasks[task]
        return (
            self.queues(task)
            and pending + running < site.pending + site.running
            and self.running[task] < limit.running
        )

    def queues(self, task: str) -> bool:
        """Tell whether another job may wait here, be it new or one that waits again."""
        return (
            (self.state == "Normal" or (self.state == "Draining" and task in DRAINING_TASKS))
            and self.pending.total() < self.limits.site.pending
            and self.pending[task] < self.limits.tasks[task].pending
        )

    def starts(self, task: str) -> bool:
        """Tell whether a job that waits, is held or suspended may run; nothing runs at an Aborted site."""
        return (
            self.state != "Aborted"
            and self.running.total() < self.capacity
            and self.running[task] < self.limits.tasks[task].running
        )

    def admits(self, task: str, before: str, after: str) -> bool:
        """Tell whether a job that is here may go from one phase to another: what counts anew needs room."""
        if after in RUNNING and before not in RUNNING:
            return self.starts(task)
        if after in PENDING and before not in PENDING:
            return self.queues(task)
        return True


@dataclass(slots=True, eq=False)
class Input:
    """An input file of a subscription, and the sites where jobs that read it may run."""

    file: int
    jobgroup: int
    task: str
    name: str
    """What its jobs' names begin with."""
    rooms: list[Room] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    """Cumulated: how the jobs spread over the rooms."""


class Mix:
    """Inputs to draw from, so that the task types' shares come out."""

    def __init__(self, entries: Sequence[Input]) -> None:
        self.entries = entries
        per_task = Counter(entry.task for entry in entries)
        self._weights = list(accumulate(TASK_SHARES[entry.task] / per_task[entry.task] for entry in entries))

    def draw(self, rng: Random) -> Input:
        """Draw what a new job reads; IndexError where there is nothing to draw from."""
        return rng.choices(self.entries, cum_weights=self._weights)[0]


@dataclass(slots=True, eq=False)
class Job:
    """One job. `phase` names one of lifecycle.PHASES."""

    row: int
    input: Input
    phase: str
    since: int
    """When it entered its phase, seconds since the epoch."""
    room: Room | None = None
    retry: int = 0
    run: int | None = None
    """Its active `bl_runjob` row."""
    turn: int = 0
    """Grows with each move, so that a move planned before an unforeseen one is known to be void."""

    def count(self, by: int) -> None:
        """Add `by` to what its site has pending or running, as its phase says."""
        if self.room is not None:
            if self.phase in PENDING:
                self.room.pending[self.input.task] += by
            elif self.phase in RUNNING:
                self.room.running[self.input.task] += by

"""One agent's jobs in memory: how they move from phase to phase within what the sites allow.

Time in here is the simulation's own, in seconds: it stands still while nobody advances it. Only what is
written to the database carries the time of day.
"""

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random

from rcmon.demo.changes import Changes
from rcmon.demo.jobs import Input, Job, Mix, Room
from rcmon.demo.lifecycle import (
    ABORTABLE,
    GONE,
    PENDING,
    PHASES,
    RUN_FACTORS,
    RUNNING,
    START,
    SUBMIT,
    UNFINISHED,
    retried,
)

JOBS_PER_ROOM = 1.4
"""Unfinished jobs for each that can run at once."""
TIDE = 0.2
TIDE_PERIOD = 1800.0
"""The number of unfinished jobs rises and falls by TIDE in this time."""
MOST_NEW_PER_SECOND = 40
MOST_NEW_AT_ONCE = 400
ABORT_EVERY = 120.0
ABORTED_AT_ONCE = 15
STUCK_ROW = 0.03
"""How often the batch row of a failed job stays active by mistake."""


class World:
    """The jobs of one agent. `changes` holds what the database does not know yet."""

    def __init__(self, rng: Random, inputs: Sequence[Input], rooms: Sequence[Room]) -> None:
        self.rng = rng
        self.rooms = {room.name: room for room in rooms}
        self.changes = Changes()
        self.jobs: dict[int, Job] = {}
        self.clock = 0.0
        self.mix = Mix([entry for entry in inputs if entry.rooms])
        self._phases: Counter[str] = Counter()
        self._plan: list[tuple[float, int, int]] = []
        self._next_job = 1
        self._next_run = 1
        self._next_abort = ABORT_EVERY
        self._usual = JOBS_PER_ROOM * sum(room.capacity for room in rooms)
        self._tide_shift = rng.random() * TIDE_PERIOD

    def adopt(self, jobs: Iterable[Job], last_run: int) -> None:
        """Take in jobs that the database has already; `last_run` is its highest batch row."""
        for job in jobs:
            self._take(job)
        self._next_job = max(self.jobs, default=0) + 1
        self._next_run = last_run + 1

    def add(self, entry: Input, phase: str, since: int, room: Room | None = None, retry: int = 0) -> Job:
        """Make a new job in any phase, with the batch rows that it must have had."""
        job = Job(self._next_job, entry, phase, since, room, retry)
        self._next_job += 1
        self.changes.new[job.row] = job
        if room is not None:
            executing = PHASES[phase].status is not None
            for attempt in range(retry if executing or phase == "created" else retry + 1):
                self._open(job, attempt, since)
                stuck = executing and self.rng.random() < STUCK_ROW
                self._close(job, "Completed" if attempt == retry else "Removed", since, stuck=stuck)
            if executing:
                self._open(job, retry, since)
        self._take(job)
        return job

    def advance(self, seconds: float, now: int) -> None:
        """Let `seconds` pass: everything planned happens, new work comes in, now and then work is aborted."""
        self.clock += seconds
        while self._plan and self._plan[0][0] <= self.clock:
            _, row, turn = heapq.heappop(self._plan)
            job = self.jobs.get(row)
            if job is not None and job.turn == turn:
                self._go_on(job, now)
        self._bring_work(seconds, now)
        if self.clock >= self._next_abort:
            self._next_abort = self.clock + ABORT_EVERY
            self._abort(self.mix.draw(self.rng).jobgroup, now)

    def change_site(self, name: str, state: str, now: int) -> None:
        """Put a site in a state.

        One that leaves Normal loses its pending jobs, an Aborted one those that run as well.
        """
        room = self.rooms[name]
        if room.state == state:
            return
        room.state = state
        self.changes.sites.append((state, now, room.row))
        doomed = {"Normal": frozenset[str](), "Aborted": PENDING | RUNNING}.get(state, PENDING)
        for job in [job for job in self.jobs.values() if job.room is room and job.phase in doomed]:
            self._move(job, "Removed", now)

    def _take(self, job: Job) -> None:
        """Count a job in, somewhere in its phase."""
        self.jobs[job.row] = job
        self._phases[job.phase] += 1
        job.count(1)
        self._schedule(job, self.rng.random())

    def _go_on(self, job: Job, now: int) -> None:
        """Take a job to a next phase, or let it wait where no site takes it or has room."""
        following = PHASES[job.phase].next
        name = self.rng.choices([name for name, _ in following], [weight for _, weight in following])[0]
        if name == GONE:
            self._remove(job)
        elif name == SUBMIT and not self._find_room(job):
            self._schedule(job, 0.5)
        elif name != SUBMIT and job.room is not None and not job.room.admits(job.input.task, job.phase, name):
            self._schedule(job, 0.3)
        else:
            self._move(job, name, now)

    def _find_room(self, job: Job) -> bool:
        """Draw a site for a job; False where that site does not take it now."""
        room = self.rng.choices(job.input.rooms, cum_weights=job.input.weights)[0]
        if not room.takes(job.input.task):
            return False
        job.room = room
        return True

    def _move(self, job: Job, name: str, now: int) -> None:
        """Take a job to a phase."""
        before, after = PHASES[job.phase], PHASES[name]
        job.count(-1)
        self._phases[job.phase] -= 1
        job.retry += retried(job.phase, name)
        if before.status is not None and after.status is None:
            stuck = name == "jobfailed" and self.rng.random() < STUCK_ROW
            self._close(job, before.status, now, stuck=stuck)
        elif before.status is None and after.status is not None:
            self._open(job, job.retry, now)
        job.phase, job.since = name, now
        self._phases[name] += 1
        job.count(1)
        self.changes.move(job)
        self._schedule(job, 1.0)

    def _schedule(self, job: Job, share: float) -> None:
        """Plan the job's next move after about `share` of its phase's duration."""
        job.turn += 1
        factor = RUN_FACTORS.get(job.input.task, 1.0) if job.phase == START else 1.0
        seconds = PHASES[job.phase].seconds * factor * share * (0.5 + self.rng.random())
        heapq.heappush(self._plan, (self.clock + seconds, job.row, job.turn))

    def _open(self, job: Job, retry: int, now: int) -> None:
        """Give a job an active batch row."""
        if job.room is None:
            raise ValueError(f"job {job.row}: in the batch system without a site")
        job.run = self._next_run
        self._next_run += 1
        self.changes.opened.append((job.run, job.row, retry, job.room.row, now))

    def _close(self, job: Job, status: str, now: int, *, stuck: bool = False) -> None:
        """Take the active batch row from a job."""
        if job.run is not None and not stuck:
            self.changes.closed.append((status, now, job.run))
        job.run = None

    def _remove(self, job: Job) -> None:
        """Forget a job."""
        self._phases[job.phase] -= 1
        del self.jobs[job.row]
        self.changes.remove(job)

    def _bring_work(self, seconds: float, now: int) -> None:
        """Make new jobs until there are as many unfinished ones as the tide wants."""
        tide = math.sin(2 * math.pi * (self.clock + self._tide_shift) / TIDE_PERIOD)
        wanted = int(self._usual * (1 + TIDE * tide)) - sum(self._phases[name] for name in UNFINISHED)
        for _ in range(min(wanted, MOST_NEW_AT_ONCE, math.ceil(MOST_NEW_PER_SECOND * seconds))):
            self.add(self.mix.draw(self.rng), "new", now)

    def _abort(self, jobgroup: int, now: int) -> None:
        """Kill some jobs of a workflow, as when its request is aborted."""
        doomed = [
            job for job in self.jobs.values() if job.input.jobgroup == jobgroup and job.phase in ABORTABLE
        ]
        for job in doomed[:ABORTED_AT_ONCE]:
            self._move(job, "killed", now)

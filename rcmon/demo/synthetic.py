"""Agents of any size whose numbers are computed, not read: for measuring how rcmon does on a big grid."""

import math
import re
import time
from collections.abc import Iterator
from random import Random

from rcmon.demo.agents import COMPONENTS, UPDATE_THRESHOLD
from rcmon.demo.grid import TASK_PRIORITIES, Slots, Thresholds, dice, thresholds
from rcmon.demo.sites import SITES
from rcmon.errors import ConfigError
from rcmon.model import JOB_STATES, Agent, AgentSite, Batch, Component, Jobs, Task, Worker

KIND = "synthetic"
MOST_SITES = 5000
MOST_AGENTS = 100
PERIOD = 900.0
"""Seconds in which the numbers rise and fall once."""
STATE_SPAN = 600
"""Seconds for which a site keeps its state at least."""
NOT_NORMAL = 0.05
"""Share of the sites that are Draining or Down at a time."""
_WAVE = tuple(1 + 0.25 * math.sin(2 * math.pi * step / 256) for step in range(256))
_WORKFLOW_PRIORITIES = (63000, 85000, 110000, 130000)
_BATCH_STATUSES = ("New", "Idle", "Running", "Held", "Removed", "Completed", "TransferOutput", "Timeout")


def parse_shape(text: str) -> tuple[int, int]:
    """Read SITESxAGENTS, such as 150x10; raises ConfigError for anything else."""
    match = re.fullmatch(r"([1-9]\d{0,5})x([1-9]\d{0,5})", text, re.ASCII)
    sites, agents = (int(number) for number in match.groups()) if match else (0, 0)
    if not (1 <= sites <= MOST_SITES and 1 <= agents <= MOST_AGENTS):
        raise ConfigError(
            f"--synthetic: {text!r} is not SITESxAGENTS, such as 150x10,"
            f" with 1 to {MOST_SITES} sites and 1 to {MOST_AGENTS} agents"
        )
    return sites, agents


def synthetic_sources(shape: tuple[int, int], seed: str) -> "list[SyntheticSource]":
    """Make a source for each agent of a shape."""
    sites, agents = shape
    return [SyntheticSource(f"agent{number:02d}", sites, seed, agents) for number in range(1, agents + 1)]


class SyntheticSource:
    """A source with one agent of `sites` sites and seven task types each; `agents` share the grid.

    What it says depends on name, seed and time alone, and changes with every second.
    """

    kind = KIND
    timeout = 60.0

    def __init__(self, name: str, sites: int, seed: str, agents: int = 1) -> None:
        self.name = name
        rng = dice(seed, name)
        self._version = f"2.4.{rng.randrange(3, 6)}"
        self._sites = [_FixedSite(rng, seed, site, agents) for site in _grid(sites)]
        self._pid = rng.randrange(1000, 30000)

    async def poll(self, now: float) -> Batch:
        """Compute the agent as it is at `now`."""
        began = time.perf_counter()
        agent = self._agent(now)
        return Batch(self.name, self.kind, now, time.perf_counter() - began, (agent,))

    async def close(self) -> None:
        """Do nothing: nothing is open."""

    def _agent(self, now: float) -> Agent:
        step = int(now / PERIOD * len(_WAVE))
        sites = {site.name: site.at(step, now) for site in self._sites}
        by_task = {
            task: sum(site.tasks[task].jobs.running for site in sites.values()) for task in TASK_PRIORITIES
        }
        running = sum(by_task.values())
        pending = sum(site.jobs.pending for site in sites.values())
        states = dict.fromkeys(JOB_STATES, 0) | {
            "new": pending // 7,
            "created": pending // 2,
            "executing": running + pending,
            "complete": running // 40,
            "success": running // 3,
            "cleanout": running // 5,
            "jobcooloff": running // 90,
            "jobfailed": running // 200,
        }
        active = dict.fromkeys(_BATCH_STATUSES, 0) | {"Idle": pending, "Running": running}
        return Agent(
            name=self.name,
            polled_at=now,
            sites=sites,
            jobs_by_state=states,
            batch_active=active,
            batch_completed=dict.fromkeys(_BATCH_STATUSES, 0) | {"Completed": running // 2},
            created_by_task={task: count // 5 for task, count in by_task.items()},
            executing_by_task=by_task,
            components=tuple(self._components(now)),
            hostname=f"{self.name}.example.org",
            version=self._version,
        )

    def _components(self, now: float) -> Iterator[Component]:
        """Compute the workers' heartbeats: each beats at multiples of its interval."""
        for component, workers in sorted(COMPONENTS.items()):
            beating = tuple(
                Worker(
                    name=name,
                    state="Running",
                    last_updated=now - now % interval,
                    poll_interval=float(interval),
                    cycle_time=round(3 + (now + interval) % 17, 3),
                    pid=self._pid,
                )
                for name, interval in sorted(workers)
            )
            yield Component(component, self._pid, float(UPDATE_THRESHOLD), beating)


class _FixedSite:
    """What stays of one site: slots, storage, and how busy it is."""

    def __init__(self, rng: Random, seed: str, site: tuple[str, int, tuple[str, ...]], agents: int) -> None:
        self.name, cpu, self._pnns = site
        self._limits: Thresholds = thresholds(cpu, cpu // 4, agents)
        # the same in every agent, so that they agree on the site's state
        self._mood = dice(seed, self.name).random()
        self._cells = [
            _FixedCell(rng, task, priority, self._limits.tasks[task])
            for task, priority in TASK_PRIORITIES.items()
        ]
        self._cells.sort(key=lambda cell: cell.task)
        self._backlog = {priority: rng.randrange(400) for priority in rng.sample(_WORKFLOW_PRIORITIES, 2)}

    def at(self, step: int, now: float) -> AgentSite:
        """Compute the site at a time."""
        span, since = divmod(now, STATE_SPAN)
        draw = (self._mood + span * 0.6180339887) % 1
        state = "Normal" if draw > NOT_NORMAL else "Draining" if draw > NOT_NORMAL / 3 else "Down"
        return AgentSite(
            name=self.name,
            state=state,
            state_time=now - since,
            cms_name=self.name,
            plugin="SimpleCondorPlugin",
            running_slots=self._limits.site.running,
            pending_slots=self._limits.site.pending,
            pnns=self._pnns,
            tasks={cell.task: cell.at(step) for cell in self._cells},
            backlog={priority: jobs + step % 50 for priority, jobs in self._backlog.items()},
        )


class _FixedCell:
    """What stays of one task type at one site."""

    __slots__ = ("_limits", "_pending", "_priority", "_running", "_shift", "_workflow", "task")

    def __init__(self, rng: Random, task: str, priority: int, limits: Slots) -> None:
        self.task = task
        self._priority = priority
        self._limits = limits
        busy = rng.random() / len(TASK_PRIORITIES)
        self._running = int(limits.running * busy)
        self._pending = 2 + int(limits.pending * busy)
        self._shift = rng.randrange(len(_WAVE))
        self._workflow = rng.choice(_WORKFLOW_PRIORITIES)

    def at(self, step: int) -> Task:
        """Compute the cell at a step of the wave."""
        wave = _WAVE[(step + self._shift) % len(_WAVE)]
        jobs = Jobs(int(self._pending * wave), int(self._running * wave))
        highest = self._workflow if jobs.pending or jobs.running else None
        return Task(self._limits.running, self._limits.pending, self._priority, jobs, highest)


def _grid(count: int) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """Give the first sites of the demo's grid and as many more as are missing, by name."""
    known = [(site.name, site.cpu, site.pnns) for site in SITES[:count]]
    for number in range(len(known) + 1, count + 1):
        name = f"T3_US_Campus{number:04d}"
        known.append((name, 50 + number % 400, (name,)))
    yield from sorted(known)

"""What the demo and the synthetic agents share: task types, WMCore's formula for thresholds, seeded dice."""

import random

from msgspec import Struct

TASK_PRIORITIES = {
    "Production": 0,
    "Processing": 0,
    "Cleanup": 1,
    "LogCollect": 2,
    "Skim": 3,
    "Merge": 4,
    "Harvesting": 5,
}
"""The task types of a production agent in the order of WMCore's initial data, with their priorities."""
CPU_TASKS = frozenset({"Production", "Processing"})
"""Task types whose thresholds follow the CPU-bound slots; all others follow those bound by input/output."""
DRAINING_TASKS = frozenset({"Merge", "Cleanup", "Harvesting", "LogCollect"})
"""What a draining site still takes (WMCore's JobSubmitter)."""

LEAST_CPU_SLOTS = 50
LEAST_IO_SLOTS = 25
SITE_PENDING_PERCENT = 50
TASK_PENDING_PERCENT = 45


class Slots(Struct, frozen=True):
    """A limit on running jobs and one on pending jobs."""

    running: int
    pending: int


class Thresholds(Struct, frozen=True):
    """What one agent may send to one site: over all task types, and of each."""

    site: Slots
    tasks: dict[str, Slots]


def thresholds(cpu: int, io: int, agents: int) -> Thresholds:
    """Compute thresholds as WMCore's ResourceControlUpdater does (checkSlotsChanges, checkTaskSlotsChanges).

    `cpu` and `io` are the site's slots as SSB has them; `agents` is how many agents of the team work.
    """
    cpu = max(cpu, LEAST_CPU_SLOTS)
    io = max(io, LEAST_IO_SLOTS)
    site = Slots(cpu, max(int(cpu / agents * SITE_PENDING_PERCENT / 100), LEAST_CPU_SLOTS))
    for_cpu = Slots(cpu, max(int(cpu / agents * TASK_PENDING_PERCENT / 100), LEAST_CPU_SLOTS))
    for_io = Slots(io, max(int(io / agents * TASK_PENDING_PERCENT / 100), LEAST_IO_SLOTS))
    return Thresholds(site, {task: for_cpu if task in CPU_TASKS else for_io for task in TASK_PRIORITIES})


def dice(*seed: object) -> random.Random:
    """Make a generator that gives the same numbers for the same seed, on every machine."""
    return random.Random("/".join(map(str, seed)))  # noqa: S311 - made-up jobs, no secrets

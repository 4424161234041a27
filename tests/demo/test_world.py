"""What the simulation promises holds in every step, whatever the dice say: sites are never overfull."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from rcmon.demo.agents import AGENTS
from rcmon.demo.changes import Changes
from rcmon.demo.databases import database
from rcmon.demo.grid import DRAINING_TASKS
from rcmon.demo.jobs import Room
from rcmon.demo.lifecycle import PENDING, PHASES, RUNNING
from rcmon.demo.loading import load_world
from rcmon.demo.world import World
from tests.demo.conftest import SEED

NOW = 1_780_000_000
STATES = ("Normal", "Draining", "Down", "Aborted")


def worlds(built: Path, seed: int) -> Iterator[World]:
    """Load each agent's world as it was built, with dice of its own."""
    for agent in AGENTS:
        with closing(sqlite3.connect(database(built, agent))) as connection:
            world = load_world(connection, agent, len(AGENTS), SEED)
        world.rng = Random(seed)
        yield world


def recount(world: World) -> dict[tuple[str, bool], Counter[str]]:
    """Count anew, by site and whether they run, what waits and runs of each task type."""
    counts: dict[tuple[str, bool], Counter[str]] = {}
    for job in world.jobs.values():
        if job.room is not None and job.phase in PENDING | RUNNING:
            counts.setdefault((job.room.name, job.phase in RUNNING), Counter())[job.input.task] += 1
    return counts


def check(world: World) -> None:
    counts = recount(world)
    for room in world.rooms.values():
        pending, running = counts.get((room.name, False), Counter()), counts.get((room.name, True), Counter())
        assert (+room.pending, +room.running) == (pending, running), room.name
        check_limits(room, pending, running)


def check_limits(room: Room, pending: Counter[str], running: Counter[str]) -> None:
    assert pending.total() <= room.limits.site.pending, room.name
    assert running.total() <= room.capacity <= room.limits.site.running, room.name
    for task, limit in room.limits.tasks.items():
        assert pending[task] <= limit.pending, (room.name, task)
        assert running[task] <= limit.running, (room.name, task)
    if room.state != "Normal":
        assert pending.keys() <= (DRAINING_TASKS if room.state == "Draining" else frozenset()), room.name
    if room.state == "Aborted":
        assert not running, room.name


@pytest.mark.parametrize("seed", range(2))
def test_no_step_overfills_a_site(built: Path, seed: int) -> None:
    """Steps of all lengths, sites in and out of every state; a hundred seeds held when this was written."""
    rng = Random(seed)
    for world in worlds(built, seed):
        now = NOW
        for _ in range(60):
            seconds = rng.choice((1, 1, 5, 30))
            now += seconds
            if rng.random() < 0.3:
                world.change_site(rng.choice(list(world.rooms)), rng.choice(STATES), now)
            world.advance(seconds, now)
            world.changes = Changes()
            check(world)


@pytest.mark.parametrize("before", PHASES)
def test_whatever_counts_anew_at_a_full_site_waits(built: Path, before: str) -> None:
    """Of every succession of phases, also those that no dice have drawn yet."""
    world = next(worlds(built, 0))
    room = max(world.rooms.values(), key=lambda each: each.pending.total())
    task = room.pending.most_common(1)[0][0]
    room.pending[task] = room.limits.tasks[task].pending
    room.running[task] = room.limits.tasks[task].running
    for after, _ in PHASES[before].next:
        entered = {group for group in (PENDING, RUNNING) if after in group and before not in group}
        assert room.admits(task, before, after) is not bool(entered), after

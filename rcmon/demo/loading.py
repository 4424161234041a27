"""Reading an agent's database into memory, for the simulation that moves it."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate

from rcmon.demo.agents import DemoAgent
from rcmon.demo.grid import Thresholds, dice, thresholds
from rcmon.demo.jobs import Input, Job, Room
from rcmon.demo.lifecycle import EXECUTING, PHASES
from rcmon.demo.schema import ids
from rcmon.demo.sites import SITES
from rcmon.demo.world import World

FULL_SITES = 0.15
SMALL = 120
"""So many of the sites with at most SMALL slots run as many jobs as they may."""
IDLEST, BUSIEST = 0.03, 0.22
"""All others run this share of them: the rest of the grid works for somebody else."""


def load_world(connection: sqlite3.Connection, agent: DemoAgent, agents: int, seed: str) -> World:
    """Read one agent's sites, inputs and jobs; `agents` is how many share the grid.

    The same seed gives the sites the same capacity each time. Raises sqlite3.Error.
    """
    rooms = {room.row: room for room in _rooms(connection, agent, agents, seed)}
    inputs = {entry.file: entry for entry in _inputs(connection, rooms, seed)}
    world = World(dice(seed, agent.name, "jobs"), tuple(inputs.values()), tuple(rooms.values()))
    last_run = connection.execute("SELECT MAX(id) FROM bl_runjob").fetchone()[0]
    world.adopt(_jobs(connection, inputs, rooms), last_run or 0)
    return world


def _rooms(connection: sqlite3.Connection, agent: DemoAgent, agents: int, seed: str) -> Iterator[Room]:
    """Read the sites. Limits come from the grid: an odd database must not stop the simulation."""
    limits = {site.name: thresholds(site.cpu, site.io, agents) for site in SITES}
    for row, name, state in connection.execute(
        "SELECT l.id, l.site_name, s.name FROM wmbs_location l JOIN wmbs_location_state s ON s.id = l.state"
        " ORDER BY l.id"
    ):
        yield Room(row, name, state, limits[name], _capacity(limits[name], seed, agent.name, name))


def _capacity(limits: Thresholds, *seed: str) -> int:
    """Draw how many jobs the batch system runs at a site for an agent."""
    rng = dice(*seed)
    slots = limits.site.running
    if slots <= SMALL and rng.random() < FULL_SITES:
        return slots
    return max(3, int(slots * rng.uniform(IDLEST, BUSIEST)))


def _inputs(connection: sqlite3.Connection, rooms: dict[int, Room], seed: str) -> Iterator[Input]:
    """Read the input files, each with the sites that are near it and not ruled out."""
    near: dict[int, set[int]] = defaultdict(set)
    for file, location in connection.execute(
        "SELECT f.fileid, l.location FROM wmbs_file_location f JOIN wmbs_location_pnns l ON l.pnn = f.pnn"
    ):
        near[file].add(location)
    listed: dict[int, dict[int, int]] = defaultdict(dict)
    for subscription, location, valid in connection.execute(
        "SELECT subscription_id, location_id, valid FROM wmbs_subscription_validation"
    ):
        listed[subscription][location] = valid
    for file, subscription, jobgroup, guid, task in connection.execute(
        "SELECT ff.fileid, s.id, g.id, g.guid, t.name FROM wmbs_subscription s"
        " JOIN wmbs_fileset_files ff ON ff.fileset = s.fileset JOIN wmbs_jobgroup g ON g.subscription = s.id"
        " JOIN wmbs_sub_types t ON t.id = s.subtype ORDER BY ff.fileid"
    ):
        allowed = [rooms[row] for row in sorted(near[file]) if _valid(listed[subscription], row)]
        rng = dice(seed, file)
        liking = [room.capacity * (0.3 + rng.random()) for room in allowed]
        yield Input(file, jobgroup, task, guid, allowed, list(accumulate(liking)))


def _valid(listed: dict[int, int], location: int) -> bool:
    """Apply a subscription's site list as WMCore does: listed for it, or not listed and nobody is."""
    valid = listed.get(location)
    return bool(valid) if valid is not None else 1 not in listed.values()


def _jobs(connection: sqlite3.Connection, inputs: dict[int, Input], rooms: dict[int, Room]) -> Iterator[Job]:
    """Read the jobs with their newest active batch row."""
    statuses = {row: name for name, row in ids(connection, "bl_status").items()}
    active: dict[int, tuple[int, str]] = {
        job: (row, statuses[status])
        for job, row, status in connection.execute(
            "SELECT wmbs_id, id, sched_status FROM bl_runjob WHERE status = '1' ORDER BY retry_count"
        )
    }
    for row, state, since, retry, location, file in connection.execute(
        "SELECT j.id, s.name, j.state_time, j.retry_count, j.location, a.fileid FROM wmbs_job j"
        " JOIN wmbs_job_state s ON s.id = j.state JOIN wmbs_job_assoc a ON a.job = j.id ORDER BY j.id"
    ):
        run, status = active[row] if state == EXECUTING else (None, state)
        room = None if location is None else rooms[location]
        yield Job(row, inputs[file], status if status in PHASES else "Unknown", since, room, retry, run)

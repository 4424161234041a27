"""The jobs that an agent has when the demo starts: as many of each phase as after hours of work."""

from rcmon.demo.jobs import Input, Mix, Room
from rcmon.demo.lifecycle import PENDING, PHASES, RUNNING, START
from rcmon.demo.world import World

UNASSIGNED = {
    "new": 70,
    "created": 260,
    "createfailed": 4,
    "createcooloff": 8,
    "createpaused": 11,
    "submitfailed": 3,
    "submitcooloff": 7,
    "submitpaused": 9,
}
"""Jobs that never had a site, by phase."""
ASSIGNED = {
    "New": 28,
    "Unknown": 2,
    "TransferOutput": 66,
    "Transferring": 9,
    "Held": 14,
    "Suspended": 3,
    "Removed": 4,
    "Timeout": 3,
    "Completed": 66,
    "complete": 90,
    "success": 520,
    "jobfailed": 10,
    "jobcooloff": 30,
    "jobpaused": 14,
    "retrydone": 5,
    "exhausted": 16,
    "killed": 12,
    "cleanout": 280,
}
"""Jobs that have or had a site, by phase; those that run or wait there are drawn site by site."""
RETRIES = (0,) * 12 + (1, 1, 2)
TRIES = 4
"""How often to draw again for a job that its site would not take."""


def populate(world: World, now: int) -> None:
    """Fill an agent that has sites and inputs and no jobs."""
    at = _mixes(world)
    for name, mix in at.items():
        _fill(world, world.rooms[name], mix, now)
    for phase, count in UNASSIGNED.items():
        for _ in range(count):
            world.add(world.mix.draw(world.rng), phase, _since(world, phase, now))
    rooms = [world.rooms[name] for name in at]
    for phase, count in ASSIGNED.items():
        for room in world.rng.choices(rooms, [room.capacity for room in rooms], k=count):
            _place(world, room, at[room.name], phase, now)


def _mixes(world: World) -> dict[str, Mix]:
    """Sort what may be read by the site where that may be done; sites without any are left out."""
    at: dict[str, list[Input]] = {name: [] for name in world.rooms}
    for entry in world.mix.entries:
        for room in entry.rooms:
            at[room.name].append(entry)
    return {name: Mix(entries) for name, entries in at.items() if entries}


def _fill(world: World, room: Room, mix: Mix, now: int) -> None:
    """Draw the jobs that run and wait at a site; one that is not Normal has none waiting."""
    for _ in range(round(room.capacity * world.rng.uniform(0.6, 0.95))):
        _place(world, room, mix, START, now)
    if room.state == "Normal":
        for _ in range(round(min(room.limits.site.pending, room.capacity) * world.rng.uniform(0.05, 0.6))):
            _place(world, room, mix, "Idle", now)


def _place(world: World, room: Room, mix: Mix, phase: str, now: int) -> None:
    """Make a job in a phase at a site, of a task type that has room there."""
    for _ in range(TRIES):
        entry = mix.draw(world.rng)
        if _fits(room, phase, entry.task):
            retry = world.rng.choice(RETRIES)
            world.add(entry, phase, _since(world, phase, now), room, retry)
            return


def _fits(room: Room, phase: str, task: str) -> bool:
    """Tell whether a site has room for a job of a task type in a phase."""
    if phase in PENDING:
        return room.takes(task)
    return phase not in RUNNING or room.starts(task)


def _since(world: World, phase: str, now: int) -> int:
    """Draw when a job entered its phase."""
    return now - int(world.rng.random() * PHASES[phase].seconds)

"""All sites of a snapshot together, as kept over time. Pure."""

from collections import Counter
from collections.abc import Iterable

from msgspec import structs

from rcmon.model import GridPoint, Jobs, Site, Snapshot, Task, TaskPoint

DIFFERING, UNKNOWN = "differing", "unknown"
"""In place of a state: the agents hold the site in different ones; none knows it."""
_LARGEST = 2**63 - 1
"""What MessagePack's integer holds below its unsigned ones."""


def grid_point(snapshot: Snapshot) -> GridPoint:
    """Add up a snapshot."""
    sites = snapshot.sites.values()
    tasks: dict[str, list[Task]] = {}
    for site in sites:
        for seen in site.agents.values():
            for name, task in seen.tasks.items():
                tasks.setdefault(name, []).append(task)
    jobs = sum((site.jobs for site in sites), Jobs())
    return GridPoint(
        snapshot.started,
        dict(sorted(Counter(map(_state, sites)).items())),
        _sum(site.running_slots for site in sites),
        _sum(site.pending_slots for site in sites),
        min(jobs.running, _LARGEST),
        min(jobs.pending, _LARGEST),
        tuple(_task(name, tasks[name]) for name in sorted(tasks)),
    )


def same(earlier: GridPoint | None, later: GridPoint) -> bool:
    """Tell whether nothing changed from a point to a later one."""
    return (
        earlier is not None
        and earlier.time < later.time
        and structs.replace(earlier, time=later.time) == later
    )


def _state(site: Site) -> str:
    return site.state or (DIFFERING if site.states else UNKNOWN)


def _task(name: str, tasks: Iterable[Task]) -> TaskPoint:
    tasks = list(tasks)
    return TaskPoint(
        name,
        _sum(task.jobs.running for task in tasks),
        _sum(task.jobs.pending for task in tasks),
        _sum(task.max_slots for task in tasks),
        _sum(task.pending_slots for task in tasks),
    )


def _sum(numbers: Iterable[int | None]) -> int | None:
    """Add up what is known; None where nothing is, or the sum is beyond all that is kept."""
    known = [number for number in numbers if number is not None]
    total = sum(known)
    return total if known and abs(total) <= _LARGEST else None

"""What of a snapshot is kept over time: the rows that changed since the one before. Pure."""

from collections.abc import Iterator
from typing import TypeAlias

from rcmon.model import AgentSite, HistoryRow, Snapshot, Task, TaskPoint

Values: TypeAlias = tuple[
    str | None, int | None, int | None, int | None, int | None, tuple[TaskPoint, ...] | None
]

_GONE: Values = (None, None, None, None, None, None)
_LARGEST = 2**63 - 1
"""What a database's integer holds."""
_LONGEST_NAME = 1000
"""Octets of a site's name: with an agent's, an index of PostgreSQL takes no more than 2704."""


def changes(previous: Snapshot | None, snapshot: Snapshot) -> list[HistoryRow]:
    """List each agent's sites whose state, slots, jobs or task types differ from the previous snapshot.

    Without a previous snapshot that is all of them. What left the snapshot gets a row of nothing but None.
    Where the previous one is later, since the clock was set back, that is all of them too: what was kept
    from then on is replaced.
    """
    before = {} if previous is None else dict(_sites(previous))
    set_back = previous is not None and previous.started >= snapshot.started
    rows = []
    for (agent, site), seen in _sites(snapshot):
        earlier = before.pop((agent, site), None)
        if set_back:
            earlier = None
        if earlier is seen:
            continue  # a stale agent's: the very same
        values = _values(seen)
        if earlier is None or _values(earlier) != values:
            rows.append(HistoryRow(snapshot.started, agent, site, *values))
    rows += [HistoryRow(snapshot.started, agent, site, *_GONE) for agent, site in before]
    return rows


def _sites(snapshot: Snapshot) -> Iterator[tuple[tuple[str, str], AgentSite]]:
    """Go through each agent's sites, but for a name that no database takes as a key."""
    for agent, seen in snapshot.agents.items():
        for name, site in seen.sites.items():
            if "\0" not in agent + name and len(name.encode()) <= _LONGEST_NAME:
                yield (agent, name), site


def _values(site: AgentSite) -> Values:
    jobs = site.jobs
    return (
        None if site.state is None else site.state.replace("\0", "\ufffd"),
        _storable(site.running_slots),
        _storable(site.pending_slots),
        _storable(jobs.running),
        _storable(jobs.pending),
        tuple(_task(name, task) for name, task in site.tasks.items() if len(name) <= _LONGEST_NAME),
    )


def _task(name: str, task: Task) -> TaskPoint:
    jobs = task.jobs
    numbers = (jobs.running, jobs.pending, task.max_slots, task.pending_slots)
    return TaskPoint(name, *map(_storable, numbers))


def _storable(number: int | None) -> int | None:
    """Take a number as it is; None where no database can hold it."""
    return number if number is not None and abs(number) <= _LARGEST else None

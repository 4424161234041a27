"""Thresholds as `wmagent-resource-control -p` prints them, over all agents.

Source: printThresholds of WMCore's bin/wmagent-resource-control, 2.4.5.9. Numbers are sums over the agents;
what is not known is ?, where that program fails, and what differs between agents is told for each. Jobs
without a threshold, which it leaves out, have a line that says so. The lines of workflows tell the jobs in
the batch system, of all of a workflow's tasks of the type together: that program's tell them by task.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from rcmon.terminal.shapes import HolderSeen, HoldersSeen, Number, SiteThresholdsSeen, ThresholdSeen
from rcmon.terminal.words import UNKNOWN

HEAD = "Thresholds and current status for all sites:\n\n"
NO_STATE = "unknown"

Parts = Mapping[str, SiteThresholdsSeen]
"""One site, by agent."""
Workflows = Callable[[str], HoldersSeen | None]
"""Who holds the slots of a task type at the site; None: nobody is known to."""


class TaskLine(Struct, frozen=True):
    """One task type at one site, over agents."""

    task: str
    parts: Sequence[ThresholdSeen]

    @property
    def rank(self) -> tuple[float, str]:
        """The place among the others: greater priority first, as WMCore has it."""
        known = [one.priority for one in self.parts if one.priority is not None]
        return -max(known, default=-1.0), self.task

    @property
    def limited(self) -> bool:
        """Whether any agent has a threshold for it."""
        return any(one.max_slots is not None or one.pending_slots is not None for one in self.parts)


def site_lines(site: str, parts: Parts, workflows: Workflows) -> Iterator[str]:
    """Write one site."""
    lines = sorted(_by_task(parts), key=lambda line: line.rank)
    held = parts.values()
    running, pending = (total(_each(held, f"total_{kind}_jobs")) for kind in ("running", "pending"))
    if not any(line.limited for line in lines) and not running and not pending:
        yield f"No thresholds for site {site}"
        return
    slots, queued = (total(_each(held, f"total_{kind}_slots")) for kind in ("running", "pending"))
    yield (
        f"{site} - {number(running)} running, {number(pending)} pending, {number(slots)} running slots total,"
        f" {number(queued)} pending slots total, Site is {_state(parts)}:"
    )
    for line in lines:
        yield from _task_lines(line, parts, workflows)
    yield ""


def _task_lines(line: TaskLine, parts: Parts, workflows: Workflows) -> Iterator[str]:
    running = total(_each(line.parts, "task_running_jobs"))
    pending = total(_each(line.parts, "task_pending_jobs"))
    jobs = f"  {line.task} - {number(running)} running, {number(pending)} pending"
    if not line.limited:
        yield f"{jobs}, no threshold"
    else:
        most, queued = (total(_each(line.parts, name)) for name in ("max_slots", "pending_slots"))
        priorities = dict.fromkeys(number(one.priority) for one in line.parts)
        limits = f"{number(most)} max running, {number(queued)} max pending"
        yield f"{jobs}, {limits}, priority {'/'.join(priorities)}"
    found = workflows(line.task) if running else None
    if found is not None:
        yield from _workflow_lines(found, parts)


def _workflow_lines(found: HoldersSeen, parts: Parts) -> Iterator[str]:
    told = [(jobs, one.workflow) for one in found.by_running if (jobs := _jobs(one, parts))]
    for jobs, workflow in told:
        yield f"    {jobs} - {workflow}"
    if found.workflows > len(found.by_running):
        yield f"    and of up to {found.workflows - len(found.by_running)} more workflows"


def _jobs(holder: HolderSeen, parts: Parts) -> int:
    return sum(
        pair.running_jobs + pair.pending_jobs for agent, pair in holder.agents.items() if agent in parts
    )


def _by_task(parts: Parts) -> Iterator[TaskLine]:
    tasks: dict[str, list[ThresholdSeen]] = {}
    for site in parts.values():
        for task, one in site.thresholds.items():
            tasks.setdefault(task, []).append(one)
    for task, several in tasks.items():
        yield TaskLine(task, several)


def _each(parts: Iterable[Struct], name: str) -> Iterator[Number]:
    return (getattr(one, name) for one in parts)


def total(values: Iterable[Number]) -> Number:
    """Add up what is known; None: nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def number(value: Number) -> str:
    """Write a number as %d does."""
    return UNKNOWN if value is None else str(int(value))


def _state(parts: Parts) -> str:
    states: dict[str, list[str]] = {}
    for agent, site in parts.items():
        states.setdefault(site.state or NO_STATE, []).append(agent)
    if len(states) == 1:
        return next(iter(states))
    return ", ".join(f"{state} ({' '.join(agents)})" for state, agents in states.items())

"""Who holds the slots at a site, over all agents."""

from collections import defaultdict

from msgspec import json

from rcmon.documents.shapes import HolderShape, JobPair, TaskHolders
from rcmon.model import Holder, Holders, Snapshot

TOP = 10
"""So many workflows are listed by running jobs, and by pending ones."""


def holders_by_site(snapshot: Snapshot) -> dict[str, bytes]:
    """Write each site's list, where any agent tells."""
    seen: dict[str, dict[str, dict[str, Holders]]] = defaultdict(lambda: defaultdict(dict))
    for name, agent in snapshot.agents.items():
        for site, tasks in (agent.holders or {}).items():
            for task, held in tasks.items():
                seen[site][task][name] = held
    encoder = json.Encoder()
    return {
        site: encoder.encode([_task(task, tasks[task]) for task in sorted(tasks)])
        for site, tasks in seen.items()
    }


def _task(task: str, held: dict[str, Holders]) -> TaskHolders:
    parts: dict[str, dict[str, Holder]] = defaultdict(dict)
    for agent, holders in held.items():
        for holder in holders.named:
            parts[holder.workflow][agent] = holder
    all_named = [_holder(workflow, of) for workflow, of in parts.items()]
    return TaskHolders(
        task=task,
        by_running=_top(all_named, "running_jobs"),
        by_pending=_top(all_named, "pending_jobs"),
        workflows=max([len(all_named), *(len(one.named) + one.others for one in held.values())]),
        pending_jobs=sum(one.pending_jobs for one in all_named) + _others(held, "others_pending"),
        running_jobs=sum(one.running_jobs for one in all_named) + _others(held, "others_running"),
        complete=not any(one.others for one in held.values()),
    )


def _holder(workflow: str, of: dict[str, Holder]) -> HolderShape:
    return HolderShape(
        workflow=workflow,
        pending_jobs=sum(holder.pending for holder in of.values()),
        running_jobs=sum(holder.running for holder in of.values()),
        agents={agent: JobPair(of[agent].pending, of[agent].running) for agent in sorted(of)},
    )


def _top(holders: list[HolderShape], by: str) -> list[HolderShape]:
    some = [holder for holder in holders if getattr(holder, by)]
    return sorted(some, key=lambda holder: (-getattr(holder, by), holder.workflow))[:TOP]


def _others(held: dict[str, Holders], field: str) -> int:
    return sum(getattr(holders, field) for holders in held.values())

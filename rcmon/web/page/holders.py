"""Who holds the slots of a site, as its page shows it."""

from collections.abc import Sequence

from msgspec import Struct

from rcmon.documents.shapes import HolderShape, TaskHolders

SHOWN = 4
"""Workflows of a task type that are shown at most, of those with most running and most pending jobs each."""


class HolderRow(Struct, frozen=True):
    """One workflow."""

    workflow: str
    running: int
    pending: int
    agents: str


class TaskTable(Struct, frozen=True):
    """One task type."""

    task: str
    running: int
    pending: int
    workflows: int
    rows: Sequence[HolderRow]
    rest: int
    """Workflows that are not shown."""
    complete: bool


def holders(tasks: Sequence[TaskHolders]) -> Sequence[TaskTable]:
    """Show the task types that have jobs, those with most running jobs first."""
    found = [_table(one) for one in tasks if one.workflows]
    return sorted(found, key=lambda one: (-one.running, -one.pending, one.task))


def _table(one: TaskHolders) -> TaskTable:
    shown: dict[str, HolderShape] = {}
    for holder in (*one.by_running[:SHOWN], *one.by_pending[:SHOWN]):
        shown[holder.workflow] = holder
    rows = sorted(shown.values(), key=lambda each: (-each.running_jobs, -each.pending_jobs, each.workflow))
    return TaskTable(
        one.task,
        one.running_jobs,
        one.pending_jobs,
        one.workflows,
        [
            HolderRow(each.workflow, each.running_jobs, each.pending_jobs, ", ".join(each.agents))
            for each in rows
        ],
        max(one.workflows - len(rows), 0),
        one.complete,
    )

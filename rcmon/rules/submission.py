"""Whether an agent submits a job to a site: the condition of WMCore's JobSubmitter, in its own words. Pure.

Source: WMCore 2.4.5.9, WMComponent/JobSubmitter/JobSubmitterPoller.py, `_getJobSubmitCondition` and
`assignJobLocations`. Merge passes NoPendingSlot since 2.4.5; older agents hold it back too.
"""

from typing import Literal

from msgspec import Struct

Condition = Literal["NoPendingSlot", "NoTaskPendingSlot", "NoRunningSlot", "NoTaskRunningSlot"]
"""What WMCore answers in place of JobSubmitReady; of several that hold, the first."""

IO_BOUND = frozenset({"LogCollect", "Merge", "Cleanup", "Harvesting"})
"""Task types that never overflow, and that a draining site takes still (`ioboundTypes`)."""
TIER0_TASKS = frozenset({"Express", "Repack"})
"""Task types that only a tier-0 agent has thresholds for."""
OVERFLOW = 0.2
"""CondorOverflowFraction, unless an agent's central configuration says otherwise."""
TIER0_OVERFLOW = 0.0
JOBS_FRACTION = 0.75
"""CondorJobsFraction, likewise."""
TIER0_JOBS_FRACTION = 1.0
TASK_PRIORITY = 10_000_000
"""`maxTaskPriority`: what a task type's priority is multiplied by in a job's."""


class Figures(Struct, frozen=True, gc=False):
    """What counts for one task type at one site in one agent: slots and the jobs that fill them."""

    site_pending_slots: int
    site_running_slots: int
    site_pending: int
    site_running: int
    pending_slots: int
    """Of the task type here, as the three that follow."""
    max_slots: int
    pending: int
    running: int
    wf_highest_priority: int | None
    """Highest workflow priority of the jobs of the task type here; None: there are none."""


def most_executing(max_jobs: int, fraction: float) -> int:
    """Tell at how many executing jobs an agent's JobSubmitter submits nothing more.

    `availableScheddSlots` of JobSubmitAPI.py, by which it begins each of its cycles or does not.
    """
    return int(max_jobs * fraction)


def job_priority(task_priority: int, wf_priority: int) -> int:
    """Give a job's priority, as jobs are ordered for submission."""
    return task_priority * TASK_PRIORITY + wf_priority


def overflows(figures: Figures, task: str, priority: int) -> bool:
    """Tell whether the limits are raised for a job: above all that are there, bound by no input or output.

    WMCore compares the job's priority with a workflow's, so that a task type of priority 1 or more always
    does.
    """
    highest = figures.wf_highest_priority
    return highest is not None and priority > highest and task not in IO_BOUND


def condition(figures: Figures, task: str, priority: int, overflow: float = OVERFLOW) -> Condition | None:
    """Tell why a job of a priority (see `job_priority`) is not submitted here; None: it is."""
    site_pending: float = figures.site_pending_slots
    task_pending: float = figures.pending_slots
    if overflows(figures, task, priority):
        site_pending = max(site_pending, figures.site_pending) + site_pending * overflow
        task_pending = max(task_pending, figures.pending) + task_pending * overflow
    if figures.site_pending >= site_pending and task != "Merge":
        return "NoPendingSlot"
    if figures.pending >= task_pending:
        return "NoTaskPendingSlot"
    if figures.site_pending + figures.site_running >= site_pending + figures.site_running_slots:
        return "NoRunningSlot"
    if figures.pending + figures.running >= task_pending + figures.max_slots:
        return "NoTaskRunningSlot"
    return None


def usual_condition(
    figures: Figures, task: str, task_priority: int, overflow: float = OVERFLOW
) -> Condition | None:
    """Tell the condition of a job whose workflow has no higher priority than those that have jobs here."""
    return condition(figures, task, job_priority(task_priority, figures.wf_highest_priority or 0), overflow)


def overflow_from(figures: Figures, task: str, task_priority: int, overflow: float = OVERFLOW) -> int | None:
    """Tell from which workflow priority on jobs are submitted here by overflow alone; None: none are."""
    highest = figures.wf_highest_priority
    if highest is None or usual_condition(figures, task, task_priority, overflow) is None:
        return None
    above = highest + 1
    return above if condition(figures, task, job_priority(task_priority, above), overflow) is None else None

"""Judging every agent, site and task type of a snapshot: whether jobs are submitted, and why not. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from rcmon.model import Agent, AgentSite, Cell, Jobs, Place, Pressure, Snapshot, Submission, Task, Upstream
from rcmon.rules.admission import admissions
from rcmon.rules.reasons import OF_CONDITION, REASONS
from rcmon.rules.standing import site_reasons, site_words, standing
from rcmon.rules.submission import IO_BOUND, Condition, Figures, condition, job_priority

Places = Mapping[str, Mapping[str, Place]]
"""By agent and site, each sorted by name."""
_NOTHING_DONE = Submission(0)
_ABSENT = Task(None, None, None, Jobs(), None)
_STOPPING = frozenset(name for name, kind in REASONS.items() if kind.submits == "no")
_DOUBTFUL = frozenset(name for name, kind in REASONS.items() if kind.submits == "unknown")


def judge(snapshot: Snapshot) -> Places:
    """Judge all that the snapshot holds: every task type of an agent at every site of its."""
    upstream = snapshot.upstream()
    return {name: dict(_places(agent, upstream, snapshot.started)) for name, agent in snapshot.agents.items()}


def _places(agent: Agent, upstream: Upstream, now: float) -> Iterator[tuple[str, Place]]:
    report, told = (upstream.reports or {}).get(agent.name), (upstream.submitted or {}).get(agent.name)
    report = None if report is None or report.is_stale(now) else report
    told = None if told is None or told.is_stale(now) else told
    statuses, pressure = upstream.sites or {}, (upstream.pressure or {}).get(agent.name)
    whole, let_in = standing(agent, report), admissions(agent, report)
    tasks = task_types(agent)
    for name, site in agent.sites.items():
        status = statuses.get(name)
        if status is None and site.cms_name is not None:
            status = statuses.get(site.cms_name)
        own = tuple(site_reasons(site, status))
        judged = SiteJudge(site, (*own, *whole.reasons), whole.overflow)
        said = whole.reasons | site_words(site, status)
        idle = None if pressure is None else pressure.get(name, {})
        done = None if told is None else told.sites.get(name, {})
        cells = tuple(_cell(judged, task, priority, idle, done) for task, priority in tasks.items())
        yield (
            name,
            Place(
                agent=agent.name,
                state=site.state,
                state_time=site.state_time,
                pending_slots=site.pending_slots,
                running_slots=site.running_slots,
                pending=judged.jobs.pending,
                running=judged.jobs.running,
                overflow=whole.overflow,
                admission=let_in[site.cms_name],
                cells=cells,
                words={name: words for name, words in said.items() if words},
                unique_idle=None if idle is None else sum(one.unique_idle for one in idle.values()),
            ),
        )


def task_types(agent: Agent) -> dict[str, int | None]:
    """Give the agent's task types with their priorities, sorted by name."""
    found: dict[str, int | None] = dict.fromkeys(agent.created_by_task or ())
    for site in agent.sites.values():
        for name, task in site.tasks.items():
            if found.get(name) is None:
                found[name] = task.priority
    return {name: found[name] for name in sorted(found)}


class SiteJudge:
    """Judges task types at one site in one agent. `reasons` are those that hold for all, in order.

    `jobs`: all of the site's, where they are not the sum over its task types.
    """

    def __init__(
        self, site: AgentSite, reasons: Sequence[str], overflow: float, jobs: Jobs | None = None
    ) -> None:
        self.site, self.jobs = site, jobs or site.jobs
        self._overflow = overflow
        self._for_io = tuple(reasons)
        draining = site.state == "Draining"
        self._for_others = tuple(_in_order([*reasons, "site_draining"])) if draining else self._for_io

    def verdict(self, name: str, task: Task) -> tuple[bool | None, str | None, str | None]:
        """Tell whether jobs are submitted, WMCore's token, and the first reason that holds."""
        holding = self._for_io if name in IO_BOUND else self._for_others
        held: str | None = None
        if task.pending_slots is None and task.max_slots is None:
            held = f"NoJobType_{self.site.name}_{name}"
            holding = ("threshold_missing", *holding)
        elif (figures := self._figures(task)) is None:
            holding = ("slots_unknown", *holding)
        else:
            held, last = _condition(figures, name, task.priority, self._overflow)
            if first := _misconfigured(figures, name):
                holding = (first, *holding)
            if last is not None:
                holding = (*holding, last)
        if not holding:
            return True, None, None
        return _submits(holding), held, holding[0]

    def _figures(self, task: Task) -> Figures | None:
        """Give what counts for a task type; None where a number of slots is not known."""
        site, jobs = self.site, task.jobs
        pending_slots, running_slots = site.pending_slots, site.running_slots
        if pending_slots is None or running_slots is None:
            return None
        if task.pending_slots is None or task.max_slots is None:
            return None
        return Figures(
            pending_slots,
            running_slots,
            self.jobs.pending,
            self.jobs.running,
            task.pending_slots,
            task.max_slots,
            jobs.pending,
            jobs.running,
            task.wf_highest_priority,
        )


def _submits(holding: Sequence[str]) -> bool | None:
    """Tell whether jobs are submitted where these reasons hold."""
    if not _STOPPING.isdisjoint(holding):
        return False
    return True if _DOUBTFUL.isdisjoint(holding) else None


def _condition(
    figures: Figures, task: str, priority: int | None, overflow: float
) -> tuple[Condition | None, str | None]:
    """Tell the condition of a job of no higher workflow priority than those here, and the reason it is.

    Without the task type's priority it is known where a job that overflows and one that does not have the
    same.
    """
    highest = figures.wf_highest_priority or 0
    held = condition(figures, task, job_priority(priority or 0, highest), overflow)
    if held is None:  # who overflows has higher limits
        return None, None
    may_overflow = priority is None and task not in IO_BOUND
    if may_overflow and held != condition(figures, task, highest + 1, overflow):
        return None, "priority_unknown"
    return held, OF_CONDITION[held]


def _misconfigured(figures: Figures, task: str) -> str | None:
    if figures.pending_slots <= 0:
        return "task_slots_zero"
    if figures.site_pending_slots <= 0 and (task != "Merge" or figures.site_running_slots <= 0):
        return "site_slots_zero"
    return None


def _in_order(reasons: Sequence[str]) -> list[str]:
    return sorted(reasons, key=list(REASONS).index)


def _cell(
    judged: SiteJudge,
    name: str,
    priority: int | None,
    pressure: Mapping[str, Pressure] | None,
    told: Mapping[str, Submission] | None,
) -> Cell:
    task = judged.site.tasks.get(name, _ABSENT)
    submits, held, reason = judged.verdict(name, task)
    jobs = task.jobs
    idle = unique = None
    if pressure is not None:
        seen = pressure.get(name)
        idle, unique = (seen.matching_idle, seen.unique_idle) if seen else (0, 0)
    done = None if told is None else told.get(name, _NOTHING_DONE)
    return Cell(
        name,
        submits,
        held,
        reason,
        task.pending_slots,
        task.max_slots,
        priority,
        jobs.pending,
        jobs.running,
        task.wf_highest_priority,
        idle,
        unique,
        None if done is None else done.submitted,
        None if done is None else done.refused,
    )

"""What held back work at a past moment, as far as history tells. Pure.

History keeps states, slots, thresholds and the jobs that are pending and running, the journal which of an
agent's components were down and whether it was in drain. It keeps no priority, no plug-in, no CMS name, and
nothing of the work queue or of other sources. So nothing is told to have been submitted: it is told what
stood against that, or that nothing is known to have.
"""

from collections.abc import Collection, Container, Iterator, Mapping, Sequence

from msgspec import Struct

from rcmon.model import AgentSite, Cell, HistoryRow, Jobs, Place, Task, TaskPoint
from rcmon.rules.judging import SiteJudge
from rcmon.rules.standing import CREATOR, SUBMITTER, site_reasons
from rcmon.rules.submission import OVERFLOW

_ABSENT = Task(None, None, None, Jobs(), 0)


class AgentThen(Struct, frozen=True):
    """An agent as the journal tells of it at a past moment; None: it does not tell."""

    version: str | None = None
    drain: bool | None = None
    down_components: Sequence[str] | None = None


def judge_then(
    name: str, agent: AgentThen, rows: Sequence[HistoryRow], sites: Container[str] | None = None
) -> Iterator[tuple[str, Place]]:
    """Judge an agent's sites, or some of them; one of which no task types were kept has no cells.

    `rows`: all its sites even for some of them, since its task types are those of all.
    """
    whole = tuple(_standing(agent))
    tasks = _task_types(rows)
    for row in rows:
        if sites is not None and row.site not in sites:
            continue
        points = {point.task: point for point in row.tasks or ()}
        yield row.site, _place(name, row, tuple(_cells(row, points, whole, tasks)) if has_tasks(row) else ())


def name_then(name: str, rows: Sequence[HistoryRow]) -> Iterator[tuple[str, Place]]:
    """Give the places and cells that `judge_then` judges, unjudged: a cell tells its task type alone."""
    cells = tuple(Cell(task, None, None, None, None, None, None, 0, 0, None) for task in _task_types(rows))
    for row in rows:
        yield row.site, _place(name, row, cells if has_tasks(row) else ())


def has_tasks(row: HistoryRow) -> bool:
    """Tell whether a site's task types were kept with all their jobs."""
    return (
        row.tasks is not None
        and row.pending_jobs is not None
        and row.running_jobs is not None
        and all(point.pending_jobs is not None and point.running_jobs is not None for point in row.tasks)
    )


def _task_types(rows: Sequence[HistoryRow]) -> list[str]:
    return sorted({point.task for row in rows for point in row.tasks or ()})


def _place(name: str, row: HistoryRow, cells: tuple[Cell, ...]) -> Place:
    return Place(
        agent=name,
        state=row.state,
        state_time=None,
        pending_slots=row.pending_slots,
        running_slots=row.running_slots,
        pending=row.pending_jobs or 0,
        running=row.running_jobs or 0,
        overflow=OVERFLOW,
        admission=(),
        cells=cells,
    )


def _standing(agent: AgentThen) -> Iterator[str]:
    """Give the reasons that hold for all sites of an agent, in their order."""
    down = agent.down_components or ()
    if SUBMITTER in down:
        yield "submitter_down"
    if agent.drain:
        yield "agent_drain"
    if CREATOR in down:
        yield "creator_down"


def _cells(
    row: HistoryRow, points: Mapping[str, TaskPoint], whole: Sequence[str], tasks: Collection[str]
) -> Iterator[Cell]:
    # neither its CMS name nor its plug-in is known: they must not be told as missing
    site = AgentSite(row.site, row.state, None, row.site, row.site, row.running_slots, row.pending_slots)
    own = tuple(site_reasons(site, None))
    judged = SiteJudge(site, (*own, *whole), OVERFLOW, Jobs(row.pending_jobs or 0, row.running_jobs or 0))
    for name in tasks:
        task = _task(points[name]) if name in points else _ABSENT
        submits, held, reason = judged.verdict(name, task)
        jobs = task.jobs
        yield Cell(
            name,
            False if submits is False else None,
            held,
            reason,
            task.pending_slots,
            task.max_slots,
            None,
            jobs.pending,
            jobs.running,
            None,
        )


def _task(point: TaskPoint) -> Task:
    """Give what counts; any workflow priority may be that of its jobs, so that others may overflow."""
    jobs = Jobs(point.pending_jobs or 0, point.running_jobs or 0)
    return Task(point.max_slots, point.pending_slots, None, jobs, 0)

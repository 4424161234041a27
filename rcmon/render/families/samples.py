"""What a view gives for the families whose samples are more than one field of one object."""

from collections.abc import Iterator

from rcmon.exposition.lines import Sample, label
from rcmon.model import JOB_CLASSES, SITE_STATES
from rcmon.render.families.view import View
from rcmon.rules.standing import executing_limit


def site_states(view: View) -> Iterator[Sample]:
    """Give each state a site can be in: 1 for the one it is in; nothing where that is unknown."""
    known = [(state, label("state", state)) for state in SITE_STATES]
    for labels, site, _ in view.sites:
        if site.state is None:
            continue
        for state, state_label in known:
            yield f"{labels},{state_label}", int(site.state == state)
        if site.state not in SITE_STATES:
            yield f"{labels},{label('state', site.state)}", 1


def task_jobs(view: View) -> Iterator[Sample]:
    """Count jobs by class of batch status; where zeros are not told, what has no sample is none."""
    if not view.zeros:
        yield from _task_jobs_there(view)
        return
    status = [label("status", name) for name in JOB_CLASSES]
    pending, running, error, complete, unknown = status
    for labels, task in view.tasks:
        jobs = task.jobs
        yield f"{labels},{pending}", jobs.pending
        yield f"{labels},{running}", jobs.running
        yield f"{labels},{error}", jobs.error
        yield f"{labels},{complete}", jobs.complete
        yield f"{labels},{unknown}", jobs.unknown


def _task_jobs_there(view: View) -> Iterator[Sample]:
    status = [(name, label("status", name)) for name in JOB_CLASSES]
    for labels, task in view.tasks:
        for name, written in status:
            if count := getattr(task.jobs, name):
                yield f"{labels},{written}", count


def site_backlog(view: View) -> Iterator[Sample]:
    """Give the sum over priorities: priorities are not bounded, so no label."""
    for labels, site, _ in view.sites:
        yield labels, sum(site.backlog.values())


def agent_info(view: View) -> Iterator[Sample]:
    """Give host and version; what is not known is an empty label."""
    for labels, agent in view.agents:
        yield f"{labels},{label('hostname', agent.hostname)},{label('version', agent.version)}", 1


def agent_reports(view: View) -> Iterator[Sample]:
    """Tell of its report, of an agent that is not polled too."""
    if view.report is not None:
        yield view.labels, view.report.time


def agent_jobs(view: View) -> Iterator[Sample]:
    """Count jobs by the states of `wmbs_job_state`."""
    for labels, agent in view.agents:
        for state, count in (agent.jobs_by_state or {}).items():
            yield f"{labels},{label('state', state)}", count


def agent_batch_jobs(view: View) -> Iterator[Sample]:
    """Count active and completed batch rows by batch status."""
    for labels, agent in view.agents:
        for phase, counts in (("active", agent.batch_active), ("completed", agent.batch_completed)):
            for status, count in (counts or {}).items():
                yield f"{labels},{label('phase', phase)},{label('status', status)}", count


def agent_created(view: View) -> Iterator[Sample]:
    """Count created jobs by task type."""
    for labels, agent in view.agents:
        for task, count in (agent.created_by_task or {}).items():
            yield f"{labels},{label('task', task)}", count


def agent_executing(view: View) -> Iterator[Sample]:
    """Count executing jobs by task type."""
    for labels, agent in view.agents:
        for task, count in (agent.executing_by_task or {}).items():
            yield f"{labels},{label('task', task)}", count


def agent_executing_limit(view: View) -> Iterator[Sample]:
    """Tell at how many executing jobs an agent submits no more, where that is known."""
    for labels, agent in view.agents:
        yield labels, executing_limit(agent)


def agent_drain(view: View) -> Iterator[Sample]:
    """Say whether the agent is in drain mode, where its source or its own report does."""
    for labels, agent in view.agents:
        yield labels, None if agent.drain is None else int(agent.drain)

"""`rcmon-cli site NAME`."""

from collections.abc import Iterator

import click
from msgspec import Struct

from rcmon.terminal.answers import as_type
from rcmon.terminal.client import part
from rcmon.terminal.commands.completing import sites_by_name
from rcmon.terminal.commands.listing import at_option, query_of, tell_past
from rcmon.terminal.commands.sites import state_of, states_of
from rcmon.terminal.output import TableColumn
from rcmon.terminal.session import Session, asking
from rcmon.terminal.shapes import AgentSiteSeen, SiteSeen, TaskSeen
from rcmon.terminal.words import lasting, since, time_of


class AgentPart(Struct, frozen=True):
    """One agent's part of a site."""

    agent: str
    site: AgentSiteSeen
    now: str | None


class TaskPart(Struct, frozen=True):
    """One task type's."""

    agent: str
    task: str
    seen: TaskSeen


def _data(row: AgentPart) -> str:
    age = lasting(since(row.site.as_of, row.now))
    return f"stale, {age}" if row.site.stale else age


AGENTS = (
    TableColumn("agent", lambda row: row.agent),
    TableColumn("state", lambda row: row.site.state),
    TableColumn("since", lambda row: time_of(row.site.state_time)),
    TableColumn("running_jobs", lambda row: row.site.running_jobs),
    TableColumn("running_slots", lambda row: row.site.running_slots),
    TableColumn("pending_jobs", lambda row: row.site.pending_jobs),
    TableColumn("pending_slots", lambda row: row.site.pending_slots),
    TableColumn("age_of_data", _data),
)
TASKS = (
    TableColumn("agent", lambda row: row.agent),
    TableColumn("task", lambda row: row.task),
    TableColumn("priority", lambda row: row.seen.priority),
    TableColumn("running_jobs", lambda row: row.seen.running_jobs),
    TableColumn("max_slots", lambda row: row.seen.max_slots),
    TableColumn("pending_jobs", lambda row: row.seen.pending_jobs),
    TableColumn("pending_slots", lambda row: row.seen.pending_slots),
)


@click.command()
@click.argument("name", metavar="NAME", shell_complete=sites_by_name)
@at_option
@asking()
def site(session: Session, name: str, at: str | None) -> None:
    """Show one site: its state, jobs and slots in each agent, and by task type.

    CSV has the task types.
    """
    document = session.client.get(f"/sites/{part(name)}", query_of(at=at)).document
    if session.out.form == "json":
        session.out.document(document)
    else:
        seen = as_type(document, SiteSeen, f"what is told of {name}")
        tasks = list(_tasks(seen))
        if session.out.form == "csv":
            session.out.rows(TASKS, tasks)
        else:
            _tell(session, seen, tasks, at or session.status().now)
    if at is not None:
        tell_past(session, name, document)
    else:
        session.say_age(name, None)


def _tell(session: Session, seen: SiteSeen, tasks: list[TaskPart], now: str | None) -> None:
    held = states_of(seen)
    session.out.line(f"{seen.name}: {state_of(seen)}" + (f" ({held})" if held else ""), "bold")
    agents = [AgentPart(agent, one, now) for agent, one in seen.agents.items()]
    session.out.rows(AGENTS, agents)
    session.out.write("\n")
    session.out.rows(TASKS, tasks)


def _tasks(seen: SiteSeen) -> Iterator[TaskPart]:
    for agent, one in seen.agents.items():
        for task, values in (one.tasks or {}).items():
            yield TaskPart(agent, task, values)

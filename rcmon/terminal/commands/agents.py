"""`rcmon-cli agents`."""

import fnmatch
from typing import Any

import click

from rcmon.terminal.client import Paged
from rcmon.terminal.commands.completing import agents_by_name
from rcmon.terminal.commands.listing import at_option, query_of, tell_list
from rcmon.terminal.output import TableColumn
from rcmon.terminal.session import Session, asking
from rcmon.terminal.shapes import AgentSeen
from rcmon.terminal.words import UNKNOWN, time_of


def health_of(agent: AgentSeen) -> str:
    """Name an agent's health; old data do not tell it."""
    return "stale" if agent.stale else agent.status or UNKNOWN


COLUMNS = (
    TableColumn("agent", lambda agent: agent.name),
    TableColumn("health", health_of),
    TableColumn("drain", lambda agent: agent.drain),
    TableColumn("team", lambda agent: agent.team),
    TableColumn("version", lambda agent: agent.version),
    TableColumn("sites", lambda agent: agent.sites),
    TableColumn("running_jobs", lambda agent: agent.jobs.running),
    TableColumn("pending_jobs", lambda agent: agent.jobs.pending),
    TableColumn("findings", lambda agent: agent.findings),
    TableColumn("as_of", lambda agent: time_of(agent.as_of)),
    TableColumn("down", lambda agent: " ".join(agent.down_components), folds=True),
)


@click.command()
@click.argument("names", metavar="[GLOB]...", nargs=-1, shell_complete=agents_by_name)
@at_option
@asking()
def agents(session: Session, names: tuple[str, ...], at: str | None) -> None:
    """List the workload agents: health, drain, sites, jobs, and components that are down."""
    found = session.client.pages("/agents", "agents", query_of(at=at))
    if names:
        items = [one for one in found.items if _wanted(one, names)]
        found = Paged({**found.document, "count": len(items), "total": len(items), "agents": items}, items)
    tell_list(session, found, AgentSeen, COLUMNS, "agent", past=at is not None)


def _wanted(item: Any, names: tuple[str, ...]) -> bool:
    name = item.get("name") if isinstance(item, dict) else None
    return isinstance(name, str) and any(fnmatch.fnmatchcase(name, glob) for glob in names)

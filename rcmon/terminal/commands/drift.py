"""`rcmon-cli drift`."""

import click

from rcmon.terminal.commands.completing import sites_by_name
from rcmon.terminal.commands.listing import agent_option, query_of, tell_list
from rcmon.terminal.output import TableColumn
from rcmon.terminal.session import Session, asking
from rcmon.terminal.shapes import DriftSeen

COLUMNS = (
    TableColumn("site", lambda one: one.site or ""),
    TableColumn("agent", lambda one: one.agent),
    TableColumn("task", lambda one: one.task or ""),
    TableColumn("what", lambda one: one.what),
    TableColumn("expected", lambda one: one.expected),
    TableColumn("actual", lambda one: one.actual),
    TableColumn("reason", lambda one: one.reason),
    TableColumn("detail", lambda one: one.detail, folds=True),
)


@click.command()
@click.argument("names", metavar="[SITE]...", nargs=-1, shell_complete=sites_by_name)
@agent_option
@click.option("--task", multiple=True, metavar="TASK", help="Task types; may be given again.")
@click.option("--reason", multiple=True, metavar="REASON", help="Such as stuck_max; may be given again.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most so many values.")
@asking()
def drift(
    session: Session,
    *,
    names: tuple[str, ...],
    agent: tuple[str, ...],
    task: tuple[str, ...],
    reason: tuple[str, ...],
    limit: int | None,
) -> None:
    """List states and thresholds that are others than WMCore's formula gives, each with the reason."""
    query = query_of(site=names, agent=agent, task=task, reason=reason)
    found = session.client.pages("/drift", "drifts", query, limit)
    tell_list(session, found, DriftSeen, COLUMNS, "value")

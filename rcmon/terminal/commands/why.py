"""`rcmon-cli why`."""

import click

from rcmon.terminal.commands.completing import sites_by_name
from rcmon.terminal.commands.listing import agent_option, at_option, query_of, tell_list
from rcmon.terminal.output import TableColumn
from rcmon.terminal.session import Session, asking
from rcmon.terminal.shapes import VerdictSeen

COLUMNS = (
    TableColumn("site", lambda one: one.site),
    TableColumn("agent", lambda one: one.agent),
    TableColumn("task", lambda one: one.task),
    TableColumn("submits", lambda one: one.submits),
    TableColumn("reason", lambda one: one.reason or ""),
    TableColumn("tier", lambda one: one.tier or ""),
    TableColumn("detail", lambda one: one.detail, folds=True),
)


@click.command()
@click.argument("names", metavar="[SITE]...", nargs=-1, shell_complete=sites_by_name)
@agent_option
@click.option("--task", multiple=True, metavar="GLOB", help="Task types, such as 'Merge'.")
@click.option("--reason", multiple=True, metavar="REASON", help="Such as site_down; may be given again.")
@click.option("--all", "everything", is_flag=True, help="Also those whose jobs are submitted.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most so many answers.")
@at_option
@asking()
def why(
    session: Session,
    *,
    names: tuple[str, ...],
    agent: tuple[str, ...],
    task: tuple[str, ...],
    reason: tuple[str, ...],
    limit: int | None,
    at: str | None,
    everything: bool,
) -> None:
    """Say why work does not run: each site, agent and task type whose jobs are not submitted, and the reason.

    SITE is a whole name, with wildcards, such as 'T2_CH_*'; without one it is every site.
    """
    blocked = None if everything else "true"
    query = query_of(site=names, agent=agent, task=task, reason=reason, blocked=blocked, at=at)
    found = session.client.pages("/why", "answers", query, limit)
    tell_list(session, found, VerdictSeen, COLUMNS, "answer", past=at is not None)

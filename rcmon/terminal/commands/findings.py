"""`rcmon-cli findings`."""

import click

from rcmon.terminal.commands.listing import agent_option, query_of, site_option, tell_list
from rcmon.terminal.output import TableColumn
from rcmon.terminal.session import Session, asking
from rcmon.terminal.shapes import FindingSeen
from rcmon.terminal.words import time_of


def known_by(finding: FindingSeen) -> str:
    """Say who takes it as known, and until when."""
    known = finding.acknowledgement
    return "" if known is None else f"{known.by or '?'} until {time_of(known.until)}: {known.reason or ''}"


COLUMNS = (
    TableColumn("severity", lambda one: one.severity),
    TableColumn("since", lambda one: time_of(one.since)),
    TableColumn("kind", lambda one: one.kind),
    TableColumn("agent", lambda one: one.agent or ""),
    TableColumn("site", lambda one: one.site or ""),
    TableColumn("message", lambda one: one.message, folds=True),
    TableColumn("acknowledged", known_by, folds=True),
)


@click.command()
@click.option(
    "--severity",
    multiple=True,
    type=click.Choice(["critical", "warning", "info"]),
    help="Only of this severity; may be given again.",
)
@click.option("--kind", multiple=True, metavar="GLOB", help="Kinds, such as 'ssb_*'.")
@site_option
@agent_option
@click.option("--since", metavar="TIME", help="First found then or later.")
@click.option("--new", is_flag=True, help="Only those that nobody acknowledged.")
@asking()
def findings(
    session: Session,
    *,
    severity: tuple[str, ...],
    kind: tuple[str, ...],
    site: tuple[str, ...],
    agent: tuple[str, ...],
    since: str | None,
    new: bool,
) -> None:
    """List what needs attention, and why."""
    known = "no" if new else None
    query = query_of(severity=severity, kind=kind, site=site, agent=agent, since=since, acknowledged=known)
    tell_list(session, session.client.pages("/findings", "findings", query), FindingSeen, COLUMNS, "finding")

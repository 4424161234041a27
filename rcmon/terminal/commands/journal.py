"""`rcmon-cli journal`."""

from collections.abc import Mapping

import click
import msgspec

from rcmon.terminal.commands.listing import query_of, tell_list
from rcmon.terminal.output import TableColumn
from rcmon.terminal.session import Session, asking
from rcmon.terminal.shapes import EntrySeen
from rcmon.terminal.words import NOTHING, time_of

_USUAL, _MOST_AT_ONCE = 50, 1000


def _value(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def change_of(entry: EntrySeen) -> str:
    """Say what changed: `state Normal -> Down`."""
    old: Mapping[str, object] = entry.old or {}
    new: Mapping[str, object] = entry.new or {}
    if entry.new is None:
        return "gone"
    changed = [name for name in new if name not in old or old[name] != new[name]]
    if entry.old is None:
        return ", ".join(f"{name} {_value(new[name])}" for name in new)
    return ", ".join(f"{name} {_value(old.get(name))} -> {_value(new[name])}" for name in changed) or NOTHING


COLUMNS = (
    TableColumn("time", lambda one: time_of(one.time)),
    TableColumn("kind", lambda one: one.kind),
    TableColumn("agent", lambda one: one.agent or ""),
    TableColumn("site", lambda one: one.site or ""),
    TableColumn("task", lambda one: one.task or ""),
    TableColumn("subject", lambda one: one.subject or ""),
    TableColumn("change", change_of, folds=True),
    TableColumn("by", lambda one: one.by or "", folds=True),
    TableColumn("cause", lambda one: one.cause or "", folds=True),
)


@click.command()
@click.option("--site", metavar="NAME", help="One site, by its whole name.")
@click.option("--agent", metavar="NAME", help="One agent, by its whole name.")
@click.option(
    "--kind", multiple=True, metavar="KIND", help="Such as state, slots, override; may be given again."
)
@click.option("--since", metavar="TIME", help="Then or later, such as 2026-01-01T12:00:00Z.")
@click.option("--until", metavar="TIME", help="Before then.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=_USUAL,
    show_default=True,
    metavar="N",
    help="At most so many entries, newest first.",
)
@asking()
def journal(
    session: Session,
    *,
    site: str | None,
    agent: str | None,
    kind: tuple[str, ...],
    since: str | None,
    until: str | None,
    limit: int,
) -> None:
    """List what changed, newest first: from what to what, and by whom."""
    size = str(min(limit, _MOST_AT_ONCE))
    query = query_of(site=site, agent=agent, kind=kind, since=since, until=until, limit=size)
    found = session.client.pages("/journal", "entries", query, limit)
    tell_list(session, found, EntrySeen, COLUMNS, "entry")

"""What a change of overrides would do, and whether it is meant."""

import sys

import click

from rcmon.terminal.answers import Received, as_type
from rcmon.terminal.failure import REFUSED, USAGE, TerminalError
from rcmon.terminal.output import TableColumn, words
from rcmon.terminal.session import Session
from rcmon.terminal.shapes import EffectSeen, PreviewSeen
from rcmon.terminal.words import clean, plural


def _arrow(name: str) -> TableColumn:
    def value(one: EffectSeen) -> str:
        before, after = (words(getattr(values, name)) for values in (one.before, one.after))
        return before if before == after else f"{before} -> {after}"

    return TableColumn(name, value)


COLUMNS = (
    TableColumn("site", lambda one: one.site),
    TableColumn("agent", lambda one: one.agent),
    _arrow("state"),
    _arrow("running_slots"),
    _arrow("pending_slots"),
    TableColumn("cache_rebuilt", lambda one: one.cache_rebuilt),
    TableColumn("idle_jobs_killed", lambda one: one.idle_jobs_killed),
)


def tell_preview(session: Session, answer: Received, *, aside: bool = False) -> PreviewSeen:
    """Show what would be done; `aside`: on standard error, where the output is for programs."""
    seen = as_type(answer.document, PreviewSeen, "the preview")
    if not aside and session.out.form == "json":
        session.out.document(answer.document)
    elif not aside and session.out.form == "csv":
        session.out.rows(COLUMNS, seen.agents)
    elif session.out.form == "table":
        _tell(session, seen)
    return seen


def _tell(session: Session, seen: PreviewSeen) -> None:
    if not seen.changes:
        session.out.line("All is as is wanted: there is nothing to change.")
        return
    if seen.agents:
        session.out.rows(COLUMNS, seen.agents)
    else:
        session.out.line("No agent's values would change now.")
    killed, rebuilt = words(seen.idle_jobs_killed), words(seen.caches_rebuilt)
    effects = f"idle jobs killed: {killed}, caches rebuilt: {rebuilt}"
    session.out.line(f"{plural(seen.changes, 'override')} would change; {effects}")
    for one in seen.unknown:
        session.out.line(f"not known: {one}", "yellow")


def check_force(seen: PreviewSeen, force: str | None) -> None:
    """Hold that there is a second reason where one is needed. Raises TerminalError."""
    if seen.needs_force is not None and not force:
        raise TerminalError(f"{seen.needs_force}; if that is meant, say why with --force REASON", REFUSED)


def confirm(question: str, *, yes: bool) -> None:
    """Ask whether it is meant. Raises TerminalError unless it is, and where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise TerminalError("nobody can be asked here whether this is meant: say so with --yes", USAGE)
    click.echo(f"{clean(question)} [y/N] ", nl=False, err=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise TerminalError("nothing was changed", REFUSED)

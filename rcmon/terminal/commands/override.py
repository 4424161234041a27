"""`rcmon-cli override`: what operators set at sites: listed, foreseen, set, ended, undone.

A change carries the ETag of what was seen before it, so that nobody's change is lost.
"""

from collections.abc import Mapping
from typing import Any

import click
from msgspec import Struct

from rcmon.terminal.answers import Received, as_type
from rcmon.terminal.client import Client, part
from rcmon.terminal.commands.completing import agents_by_name, sites_by_name
from rcmon.terminal.commands.ending import end_of
from rcmon.terminal.commands.listing import tell_list
from rcmon.terminal.commands.previewing import check_force, confirm, tell_preview
from rcmon.terminal.failure import PROTOCOL, TerminalError
from rcmon.terminal.output import TableColumn, words
from rcmon.terminal.session import Session, asking
from rcmon.terminal.shapes import ChangeSeen, OverrideSeen
from rcmon.terminal.words import time_of

_NOT_FOUND = 404

LISTED = (
    TableColumn("site", lambda one: one.site),
    TableColumn("agent", lambda one: one.agent or "every"),
    TableColumn("state", lambda one: one.state or ""),
    TableColumn("running_slots", lambda one: "" if one.running_slots is None else one.running_slots),
    TableColumn("pending_slots", lambda one: "" if one.pending_slots is None else one.pending_slots),
    TableColumn("ends", lambda one: time_of(one.until) if one.until else one.mode),
    TableColumn("by", lambda one: one.by, folds=True),
    TableColumn("reason", lambda one: one.reason, folds=True),
    TableColumn("change", lambda one: one.version),
)


class Target(Struct, frozen=True):
    """Where an override is: at a site, in one agent or in all."""

    site: str
    agent: str | None

    @property
    def path(self) -> str:
        """Where it is read and changed."""
        site = f"/sites/{part(self.site)}/override"
        return site if self.agent is None else f"/agents/{part(self.agent)}{site}"

    @property
    def words(self) -> str:
        """Name it."""
        return f"{self.site} in {'every agent' if self.agent is None else self.agent}"


@click.group()
def override() -> None:
    """Set states and slots of sites, see what that would do, end and undo it."""


@override.command(name="list")
@asking()
def listed(session: Session) -> None:
    """List what operators set: where, what, until when, who and why."""
    tell_list(session, session.client.pages("/overrides", "overrides"), OverrideSeen, LISTED, "override")


def _wish(function: Any) -> Any:
    """Give a command what one can wish."""
    options = (
        click.argument("site", metavar="SITE", shell_complete=sites_by_name),
        click.option(
            "--agent", metavar="NAME", shell_complete=agents_by_name, help="In this agent; else in all."
        ),
        click.option("--state", type=click.Choice(["Normal", "Draining", "Down"]), help="State of the site."),
        click.option("--running", type=click.IntRange(0), metavar="N", help="Running slots."),
        click.option("--pending", type=click.IntRange(0), metavar="N", help="Pending slots."),
        click.option("--for", "lasting", metavar="TIME", help="Such as 90m, 12h or 3d; a day without it."),
        click.option("--until", metavar="TIME", help="Until when, such as 2026-01-01T12:00:00Z."),
        click.option("--latched", is_flag=True, help="Until somebody ends it."),
        click.option("--toggle", is_flag=True, help="Until it would be the same without it."),
        click.option("--reason", required=True, metavar="TEXT", help="Why; it stands in the journal."),
        click.option("--force", metavar="TEXT", help="A second reason, for what closes many sites at once."),
    )
    for option in reversed(options):
        function = option(function)
    return function


_YES = click.option("--yes", is_flag=True, help="Do not ask whether it is meant.")


@override.command(name="preview")
@_wish
@asking()
def previewed(session: Session, /, site: str, agent: str | None, force: str | None, **said: Any) -> None:
    """Show what setting it would do in each agent; nothing is done."""
    place = Target(site, agent)
    answer = session.client.ask(
        "PUT",
        place.path,
        _query(force, preview=True),
        body=_body(session, **said),
        headers=_seen(session.client, place),
    )
    seen = tell_preview(session, answer)
    if seen.needs_force is not None:
        session.note(f"it needs --force and a second reason: {seen.needs_force}")


@override.command(name="set")
@_wish
@_YES
@asking()
def put(
    session: Session, /, site: str, agent: str | None, force: str | None, *, yes: bool, **said: Any
) -> None:
    """Set a state or slots at a site, after showing what that does and asking."""
    place, body = Target(site, agent), _body(session, **said)
    headers = _seen(session.client, place)
    foreseen = session.client.ask("PUT", place.path, _query(force, preview=True), body=body, headers=headers)
    check_force(tell_preview(session, foreseen, aside=True), force)
    confirm(f"Set this at {place.words}?", yes=yes)
    done = session.client.ask("PUT", place.path, _query(force), body=body, headers=headers)
    made = as_type(done.document, OverrideSeen, "the override")
    if session.out.form != "table":
        _tell_one(session, done, made)
        return
    ends = f"until {time_of(made.until)}" if made.until else f"{made.mode}"
    session.out.line(
        f"{place.words}: {_values(made)}, {ends}; undo: rcmon-cli override undo {made.version}", "bold"
    )


@override.command(name="end")
@click.argument("site", metavar="SITE", shell_complete=sites_by_name)
@click.option(
    "--agent", metavar="NAME", shell_complete=agents_by_name, help="That of this agent; else that of every."
)
@_YES
@asking()
def ended(session: Session, /, site: str, agent: str | None, *, yes: bool) -> None:
    """End what is set at a site, after showing what that does and asking."""
    place = Target(site, agent)
    seen = session.client.get(place.path)
    headers = _match(seen)
    foreseen = session.client.ask("DELETE", place.path, _query(None, preview=True), headers=headers)
    tell_preview(session, foreseen, aside=True)
    confirm(f"End what is set at {place.words}?", yes=yes)
    _tell_change(session, session.client.ask("DELETE", place.path, headers=headers))


@override.command(name="undo")
@click.argument("change", type=click.IntRange(1), metavar="CHANGE")
@click.option("--reason", metavar="TEXT", help="Why; it stands in the journal.")
@click.option("--force", metavar="TEXT", help="A second reason, where that closes many sites at once.")
@_YES
@asking()
def undone(session: Session, change: int, reason: str | None, force: str | None, *, yes: bool) -> None:
    """Restore what was before a change, by its number, after showing that and asking."""
    seen = session.client.get(f"/overrides/{change}")
    made = as_type(seen.document, ChangeSeen, "the change")
    if session.out.form == "table":
        session.out.line(
            f"change {change} of {time_of(made.time)} by {made.by or 'nobody'}: {made.cause or ''}", "bold"
        )
        for one in made.overrides:
            where = Target(one.site, one.agent).words
            session.out.line(f"{where}: {_values(one.after)} -> {_values(one.before)}")
    confirm(f"Undo change {change}?", yes=yes)
    body = {} if reason is None else {"reason": reason}
    path = f"/overrides/{change}/undo"
    _tell_change(session, session.client.ask("POST", path, _query(force), body=body, headers=_match(seen)))


def _query(force: str | None, *, preview: bool = False) -> Mapping[str, str]:
    query = {"preview": "true"} if preview else {}
    return query | ({"force": force} if force else {})


def _body(
    session: Session,
    *,
    state: str | None,
    running: int | None,
    pending: int | None,
    lasting: str | None,
    until: str | None,
    latched: bool,
    toggle: bool,
    reason: str,
) -> Mapping[str, Any]:
    """Say what is wished, as the service takes it."""
    if state is None and running is None and pending is None:
        raise click.UsageError("It sets nothing: one of --state, --running, --pending is needed.")
    # the service's clock is the one by which it ends
    now = session.status().now if lasting is not None else None
    mode, end = end_of(lasting, until, latched=latched, toggle=toggle, now=now)
    wished = {"state": state, "running_slots": running, "pending_slots": pending, "until": end}
    return {"reason": reason, "mode": mode} | {
        name: value for name, value in wished.items() if value is not None
    }


def _seen(client: Client, place: Target) -> Mapping[str, str]:
    """Look at what is there, and give the condition that it is still so."""
    found = client.get(place.path, missing=True)
    return {"If-None-Match": "*"} if found.status == _NOT_FOUND else _match(found)


def _match(seen: Received) -> Mapping[str, str]:
    etag = seen.document.get("etag") if isinstance(seen.document, dict) else None
    if not isinstance(etag, str):
        raise TerminalError(
            "the service does not tell of which state this is: it is older or newer", PROTOCOL
        )
    return {"If-Match": f'"{etag}"'}


def _values(one: OverrideSeen | None) -> str:
    if one is None:
        return "nothing set"
    named = {"running slots": one.running_slots, "pending slots": one.pending_slots}
    told = [one.state] if one.state else []
    return ", ".join(
        [*told, *(f"{words(value)} {name}" for name, value in named.items() if value is not None)]
    )


def _tell_one(session: Session, answer: Received, made: OverrideSeen) -> None:
    if session.out.form == "json":
        session.out.document(answer.document)
    else:
        session.out.rows(LISTED, [made])


def _tell_change(session: Session, answer: Received) -> None:
    if session.out.form == "json":
        session.out.document(answer.document)
        return
    made = as_type(answer.document, ChangeSeen, "the change")
    if session.out.form == "csv":
        session.out.rows(LISTED, [one.after for one in made.overrides if one.after is not None])
        return
    for one in made.overrides:
        session.out.line(f"{Target(one.site, one.agent).words}: {_values(one.after)}", "bold")
    if made.number is None:
        session.out.line("All was so already.")
    else:
        session.out.line(f"undo: rcmon-cli override undo {made.number}")

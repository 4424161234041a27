"""What commands that list things share."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import click

from rcmon.terminal.answers import as_type
from rcmon.terminal.client import Paged, Query
from rcmon.terminal.output import TableColumn
from rcmon.terminal.session import Session
from rcmon.terminal.words import many, plural

T = TypeVar("T")

at_option = click.option(
    "--at",
    metavar="TIME",
    help="What held at a past moment, such as 2026-01-01T12:00:00Z, or seconds since the epoch.",
)
agent_option = click.option(
    "--agent", metavar="GLOB", multiple=True, help="Agents by name, such as 'vocms*'."
)
site_option = click.option("--site", metavar="GLOB", multiple=True, help="Sites by name, such as 'T1_*'.")


def query_of(**given: str | Sequence[str] | None) -> Query:
    """Make a query of what was given."""
    return {
        name.rstrip("_"): value if isinstance(value, str) else list(value)
        for name, value in given.items()
        if value
    }


def tell_list(
    session: Session,
    found: Paged,
    shape: type[T],
    columns: Sequence[TableColumn],
    noun: str,
    *,
    past: bool = False,
) -> list[T]:
    """Write a list in the form that is wanted, and say how old it is; gives what was read."""
    rows = as_type(found.items, list[shape], f"the list of {many(noun)}")  # type: ignore[valid-type]
    if session.out.form == "json":
        session.out.document(found.document)
    elif rows or session.out.form == "csv":
        session.out.rows(columns, rows)
    total = found.document.get("total")
    of = f" of {total}" if isinstance(total, int) and total != len(rows) else ""
    what = plural(len(rows), noun) if not of else f"{len(rows)}{of} {many(noun)}"
    if past:
        tell_past(session, what, found.document)
    else:
        session.say_age(what, found.document.get("timestamp"))
    return rows


def tell_past(session: Session, what: str, document: Mapping[str, Any]) -> None:
    """Say of which moment it is, and what is not kept of that."""
    if session.out.form != "table":
        return
    told = document.get("past")
    past = told if isinstance(told, dict) else {}
    lacking = past.get("not_kept") or []
    more = f"; not kept: {', '.join(map(str, lacking))}" if isinstance(lacking, list) and lacking else ""
    session.out.line(f"{what}, as of {document.get('timestamp')}{more}", "dim")

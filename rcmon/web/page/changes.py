"""Entries of the journal in words, as the pages of sites and agents show them."""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from rcmon.store.journal import NumberedEntry
from rcmon.timestamps import iso
from rcmon.web.page.overview import number

_LONGEST = 200
"""Characters of a change that are shown."""


class Change(Struct, frozen=True):
    """One entry."""

    number: int
    time: str | None
    kind: str
    site: str | None
    agent: str | None
    what: str
    by: str | None
    cause: str | None


def told(entries: Iterable[NumberedEntry]) -> Sequence[Change]:
    """Tell entries, as they come."""
    return [_change(one) for one in entries]


def _change(kept: NumberedEntry) -> Change:
    entry = kept.entry
    what = words(entry.old, entry.new)
    named = f"{entry.task}: {what}" if entry.task else what
    return Change(
        number=kept.number,
        time=iso(entry.time),
        kind=entry.kind,
        site=entry.site,
        agent=entry.agent,
        what=named if len(named) <= _LONGEST else f"{named[:_LONGEST]}…",
        by=entry.by,
        cause=entry.cause,
    )


def words(old: Any, new: Any) -> str:
    """Say what became of a value."""
    if new is None:
        return f"ended; was {_value(old)}" if old is not None else "ended"
    if old is None:
        return f"new: {_value(new)}"
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return (
        "; ".join(f"{_name(name)} {_value(old.get(name))} → {_value(new.get(name))}" for name in names)
        or "the same"
    )


def _name(name: str) -> str:
    return name.replace("_", " ")


def _shown(name: str, value: Any) -> str:
    if name == "thresholds" and isinstance(value, dict):  # each of them is in the list of all entries
        return f"{len(value)} threshold{'' if len(value) == 1 else 's'}"
    return f"{_name(name)} {_value(value)}"


def _value(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return number(value)
    if isinstance(value, dict):
        return (
            ", ".join(f"{_name(name)} {_value(one)}" for name, one in value.items() if one is not None)
            or "nothing"
        )
    if isinstance(value, list):
        return ", ".join(map(_value, value)) or "none"
    return str(value)

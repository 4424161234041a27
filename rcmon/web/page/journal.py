"""What the page of the journal shows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct

from rcmon.model.journal import JOURNAL_KINDS, OVERRIDE
from rcmon.web.about import BASE
from rcmon.web.api.journal import EntryShape, JournalSelection
from rcmon.web.page.changes import words

MEANINGS: Mapping[str, str] = {kind.name: kind.meaning.replace("`", "") for kind in JOURNAL_KINDS}
"""What an entry of each kind says changed."""

_LONGEST = 160
"""Characters of a change that are shown at once."""


class EntryRow(Struct, frozen=True):
    """One entry as the page shows it."""

    entry: EntryShape
    what: str
    rest: str
    """The whole, where `what` is cut."""
    meaning: str
    undo: str | None
    """Path of the change of overrides that can be undone; None: it is none."""


def entry_rows(entries: Iterable[EntryShape]) -> Sequence[EntryRow]:
    """Show entries, as they come."""
    return [_row(one) for one in entries]


def _row(one: EntryShape) -> EntryRow:
    whole = words(one.old, one.new)
    cut = len(whole) > _LONGEST
    what = f"{whole[:_LONGEST]}…" if cut else whole
    return EntryRow(one, what, whole if cut else "", MEANINGS.get(one.kind, one.kind), _change(one))


def _change(one: EntryShape) -> str | None:
    """Tell which change of overrides an entry is of."""
    version: Any = (one.new or {}).get("version") if one.kind == OVERRIDE.name else None
    return f"{BASE}/api/overrides/{version}" if isinstance(version, int) else None


def address(asked: JournalSelection) -> str:
    """Write the address of the page's first part."""
    nothing = JournalSelection()
    written: dict[str, str] = {}
    for name in ("site", "agent", "kind", "since", "until", "limit"):
        value = getattr(asked, name)
        if value != getattr(nothing, name):
            written[name] = ",".join(value) if isinstance(value, tuple) else str(value)
    return f"{BASE}/journal" + (f"?{urlencode(written)}" if written else "")

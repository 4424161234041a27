"""How a square of a map of the grid is shaded: how full it is, or what stands against it. Pure.

A square stands for several verdicts: one site in one agent, over its task types; or one task type at one
site, over the agents.
"""

from collections.abc import Iterable, Mapping

from rcmon.model import Cell
from rcmon.rules.reasons import REASONS

ABSENT, NOTHING = ".", "n"
"""The agent does not have the site; nothing is meant to run there."""
UNKNOWN, UNSET, BLOCKED, PARTLY, FULL, WAITING = "?", "c", "b", "p", "f", "w"
"""Not known; not configured; blocked; blocked in part; at its limit; nothing new is let in."""
FILLED = "01234"
"""Jobs are submitted: nothing runs, up to a quarter of the slots are used, half, three quarters, more."""
LETTERS: Mapping[str, str] = {name: chr(ord("a") + number) for number, name in enumerate(REASONS)}
"""A letter for each reason."""
NO_REASON = "-"
_OPEN = "o"


def _kind(name: str) -> str:
    obstacle = REASONS[name]
    if obstacle.submits != "no":
        return WAITING if obstacle.submits == "yes" else UNKNOWN
    return {"configuration": UNSET, "administrative": BLOCKED, "capacity": FULL}[obstacle.tier]


_KINDS: Mapping[str, str] = {name: _kind(name) for name in REASONS}
_ORDER = (WAITING, FULL, UNKNOWN, BLOCKED, UNSET)
"""What a square is taken for where nothing of it is open: what is nearest to being so."""


def shade(cells: Iterable[Cell], running: int, slots: int | None) -> tuple[str, str]:
    """Give the shade of a square and the letter of its reason; `running` of `slots` are used.

    A task type that is not meant for a site, and has no jobs there, counts for nothing.
    """
    found: dict[str, str] = {}
    for cell in cells:
        reason = cell.reason
        if reason is None:
            found.setdefault(UNKNOWN if cell.submits is None else _OPEN, NO_REASON)
        elif reason != "threshold_missing" or cell.pending or cell.running:
            kind = _KINDS.get(reason, UNKNOWN)
            kind = WAITING if cell.submits else kind
            if kind not in found or LETTERS.get(reason, NO_REASON) < found[kind]:
                found[kind] = LETTERS.get(reason, NO_REASON)
    if not found:
        return NOTHING, NO_REASON
    if BLOCKED in found and (_OPEN in found or WAITING in found or FULL in found):
        return PARTLY, found[BLOCKED]
    if _OPEN in found:
        return level(running, slots), NO_REASON
    kind = next(kind for kind in _ORDER if kind in found)
    return kind, found[kind]


def level(running: int, slots: int | None) -> str:
    """Tell how full something is."""
    if slots is None:
        return UNKNOWN
    if not running:
        return FILLED[0]
    return FILLED[-1] if slots <= 0 else FILLED[1 + min(3, 4 * running // slots)]

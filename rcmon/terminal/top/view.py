"""What somebody wants to see, and how a key changes that. Pure."""

from typing import Any

from msgspec import Struct, structs

from rcmon.terminal.top.columns import LISTS

MOST_TYPED = 100
_SAME = {"f10": "q", " ": "p", "?": "h", "f1": "h"}
"""Keys that do the same as another."""


class ScreenView(Struct, frozen=True):
    """What is wanted."""

    tab: int = 0
    sorts: tuple[int, ...] = (0, 0, 0)
    """The column that each list is sorted by."""
    reversed: tuple[bool, ...] = (False, False, False)
    pattern: str = ""
    typing: bool = False
    """Whether keys go into the pattern."""
    paused: bool = False
    help: bool = False
    row: int = 0
    """The row that is marked."""
    quit: bool = False
    refresh: bool = False
    """Whether to ask at once."""

    @property
    def sort(self) -> int:
        """The column of this list."""
        return self.sorts[self.tab]


def pressed(view: ScreenView, key: str, rows: int, page: int) -> ScreenView:
    """Give what is wanted after a key; `rows` there are, a `page` of which is seen."""
    view = structs.replace(view, refresh=False)
    if view.typing:
        return _typed(view, key)
    if view.help:
        return structs.replace(view, help=False, quit=key == "q")
    moved = _moved(view.row, key, rows, page)
    if moved is not None:
        return structs.replace(view, row=moved)
    tab = _turned(view.tab, key)
    if tab is not None:
        return structs.replace(view, tab=tab, row=0)
    return _commanded(view, key)


def _typed(view: ScreenView, key: str) -> ScreenView:
    if key == "enter":
        return structs.replace(view, typing=False)
    if key == "escape":
        return structs.replace(view, typing=False, pattern="", row=0)
    if key == "backspace":
        return structs.replace(view, pattern=view.pattern[:-1], row=0)
    if key == "clear":
        return structs.replace(view, pattern="", row=0)
    if len(key) == 1:
        return structs.replace(view, pattern=(view.pattern + key)[:MOST_TYPED], row=0)
    return view


def _moved(row: int, key: str, rows: int, page: int) -> int | None:
    """Tell which row is marked then; None: the key does not move."""
    last = max(0, rows - 1)
    steps = {
        "up": -1, "k": -1, "down": 1, "j": 1, "page-up": -page, "page-down": page, "home": -rows, "g": -rows,
        "end": rows, "G": rows,
    }  # fmt: skip
    return None if key not in steps else min(last, max(0, min(row, last) + steps[key]))


def _turned(tab: int, key: str) -> int | None:
    steps = {"tab": 1, "right": 1, "l": 1, "back-tab": -1, "left": -1}
    if key in steps:
        return (tab + steps[key]) % len(LISTS)
    return int(key) - 1 if key in ("1", "2", "3") else None


def _commanded(view: ScreenView, key: str) -> ScreenView:
    if key in ("s", "S"):
        return _sorted_by_next(view, 1 if key == "s" else -1)
    turned = tuple(was != (place == view.tab) for place, was in enumerate(view.reversed))
    changes: dict[str, dict[str, Any]] = {
        "q": {"quit": True},
        "r": {"reversed": turned, "row": 0},
        "/": {"typing": True},
        "escape": {"pattern": "", "row": 0},
        "p": {"paused": not view.paused},
        "h": {"help": True},
        "u": {"refresh": True},
    }
    return structs.replace(view, **changes.get(_SAME.get(key, key), {}))


def _sorted_by_next(view: ScreenView, step: int) -> ScreenView:
    column = (view.sort + step) % len(LISTS[view.tab].columns)
    sorts = (*view.sorts[: view.tab], column, *view.sorts[view.tab + 1 :])
    order = tuple(was and place != view.tab for place, was in enumerate(view.reversed))
    return structs.replace(view, sorts=sorts, reversed=order, row=0)

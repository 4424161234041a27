"""What the screen shows, as lines of text. Pure: of a state, a wish and a size.

Nothing that others chose gets there but through `words`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct
from rich.text import Text

from rcmon.terminal.failure import FORBIDDEN, UNAVAILABLE
from rcmon.terminal.output import STYLES, words
from rcmon.terminal.session import LATE
from rcmon.terminal.top.columns import LISTS, ScreenColumn, chosen
from rcmon.terminal.top.feed import FeedShown, FeedState, FeedTrouble
from rcmon.terminal.top.view import ScreenView
from rcmon.terminal.words import UNKNOWN, clean, lasting, plural

ABOVE, BELOW = 4, 1
"""Lines above and below the rows."""
_WIDEST = 40
HELP = (
    ("1 2 3, Tab, left, right", "sites, agents, findings"),
    ("up, down, PgUp, PgDn, Home, End", "move (j, k, g, G too)"),
    ("s, S", "sort by the next column, by the one before"),
    ("r", "turn the order round"),
    ("/", "filter: any part, in any case; Enter keeps it, Esc ends it"),
    ("p, space", "pause: what is shown stays, until it is pressed again"),
    ("u", "ask the service at once"),
    ("h, ?, F1", "this help; any key ends it"),
    ("q, F10, Ctrl-C", "leave; Ctrl-Z: leave for a while"),
)
_KEYS = "q quit  Tab list  s sort  r reverse  / filter  p pause  h help"


class Scene(Struct, frozen=True):
    """Everything that a frame follows from."""

    service: str
    state: FeedState
    view: ScreenView
    now: float
    """Seconds, by the clock that nobody sets."""
    width: int
    height: int


def page_of(height: int) -> int:
    """Tell how many rows are seen."""
    return max(1, height - ABOVE - BELOW)


def rows_of(state: FeedState, view: ScreenView) -> list[Any]:
    """Give the rows of the list that is shown."""
    if state.shown is None:
        return []
    listed = LISTS[view.tab]
    reverse = view.reversed[view.tab]
    return chosen(listed, state.shown, view.sort, reverse=reverse, pattern=view.pattern)


def frame(scene: Scene) -> list[Text]:
    """Make as many lines as the screen has, none longer than it is wide."""
    lines = [*_head(scene), *_body(scene)][: max(0, scene.height - BELOW)]
    lines += [Text()] * (scene.height - BELOW - len(lines))
    lines.append(_foot(scene.view))
    return [_fitted(line, scene.width) for line in lines[: scene.height]]


def _fitted(line: Text, width: int) -> Text:
    fitted = line.copy()
    fitted.truncate(width, overflow="ellipsis", pad=True)
    return fitted


def standing(state: FeedState, now: float, *, paused: bool) -> tuple[str, str]:
    """Say how what is shown is, and in which style: live, paused, stale, offline."""
    shown, trouble = state.shown, state.trouble
    age = shown.age(now) if shown else None
    old = f"{lasting(age)} old" if age is not None else "of unknown age"
    if trouble is not None:
        kept = f"what is shown is {old}" if shown else "nothing to show"
        return f"{_named(trouble)} since {trouble.since}, {kept}: {clean(trouble.message)}", "bold red"
    if shown is None:
        return "connecting", "yellow"
    if shown.status.timestamp is None:
        return "no cycle has ended yet: there is nothing to show", "yellow"
    if paused:
        return f"PAUSED: what is shown is {old}", "bold yellow"
    if age is None or age > LATE * shown.status.cycle_interval:
        return f"STALE: what is shown is {old}", "bold yellow"
    return f"live, {old}", "green"


def _named(trouble: FeedTrouble) -> str:
    return {UNAVAILABLE: "OFFLINE", FORBIDDEN: "REFUSED"}.get(trouble.status, "TROUBLE")


def _head(scene: Scene) -> Iterator[Text]:
    view, shown = scene.view, scene.state.shown
    said, style = standing(scene.state, scene.now, paused=view.paused)
    yield Text.assemble(("rcmon ", "bold"), clean(scene.service), "  ", (said, style))
    yield _figures(shown) if shown else Text()
    tabs = Text()
    for place, listed in enumerate(LISTS):
        tabs.append(f" {place + 1} {listed.title} ", "reverse" if place == view.tab else "")
    column = LISTS[view.tab].columns[view.sort]
    order = "down" if column.most != view.reversed[view.tab] else "up"
    tabs.append(f"  by {column.title.lower()}, {order}")
    if view.pattern:
        tabs.append(f"  filter: {clean(view.pattern)}", "bold cyan")
    yield tabs


def _figures(shown: FeedShown) -> Text:
    running = [site.running_jobs for site in shown.sites if site.running_jobs is not None]
    pending = [site.pending_jobs for site in shown.sites if site.pending_jobs is not None]
    severities = Counter(one.severity for one in shown.findings)
    health = shown.status.status
    text = Text.assemble((clean(health) or UNKNOWN, STYLES.get(health, "")))
    text.append(f"  {plural(len(shown.agents), 'agent')}, {plural(len(shown.sites), 'site')}")
    text.append(f"  {sum(running) if running else UNKNOWN} jobs running")
    text.append(f", {sum(pending) if pending else UNKNOWN} pending")
    for severity in ("critical", "warning", "info"):
        if severities[severity]:
            text.append(f"  {severities[severity]} {severity}", STYLES[severity])
    return text


def _body(scene: Scene) -> Iterator[Text]:
    if scene.view.help:
        for key, meaning in HELP:
            yield Text.assemble((f"  {key:<32}", "bold"), meaning)
        return
    rows = rows_of(scene.state, scene.view)
    page = page_of(scene.height)
    marked = min(scene.view.row, max(0, len(rows) - 1))
    begin = marked // page * page
    columns = LISTS[scene.view.tab].columns
    cells = [[words(column.value(row)) for column in columns] for row in rows]
    widths = [_width(column, [line[place] for line in cells]) for place, column in enumerate(columns)]
    yield _line([column.title for column in columns], columns, widths, style="bold underline")
    if not rows and scene.state.shown is not None:
        yield Text("  nothing that fits the filter" if scene.view.pattern else "  nothing", "dim")
    for place in range(begin, min(begin + page, len(rows))):
        yield _line(cells[place], columns, widths, style="reverse" if place == marked else "")


def _width(column: ScreenColumn, texts: Sequence[str]) -> int:
    """Tell how wide a column is: by all rows, so that turning a page moves nothing."""
    return min(_WIDEST, max([len(column.title), *map(len, texts)]))


def _line(
    texts: Sequence[str], columns: Sequence[ScreenColumn], widths: Sequence[int], *, style: str
) -> Text:
    line = Text(style=style)
    for place, (text, column, width) in enumerate(zip(texts, columns, widths, strict=True)):
        last = place == len(columns) - 1
        cell = Text(text, STYLES.get(text, "") if not style else "")
        if not last or column.right:
            cell.truncate(width, overflow="ellipsis")
            pad = width - cell.cell_len
            cell = Text(" " * pad) + cell if column.right else cell + Text(" " * pad)
        line.append_text(cell).append("  ")
    return line


def _foot(view: ScreenView) -> Text:
    if view.typing:
        return Text.assemble(("/", "bold"), clean(view.pattern), ("_", "blink"), "  Enter: keep, Esc: end")
    return Text(_KEYS, "dim")

"""What a command found, written: as a table for people, as JSON or CSV for programs."""

import csv
import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TextIO

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rcmon.terminal.failure import IO, OutputClosedError, TerminalError
from rcmon.terminal.words import NOTHING, UNKNOWN, clean, json_safe

Form = Literal["table", "json", "csv"]
Cell = str | int | float | bool | None
_FOLDED = 24
"""Characters that a column needs in which text goes on in the next line."""
UNBOUND = 100_000
"""Characters of a line where nobody looks at it on a terminal."""

STYLES: Mapping[str, str] = {
    "Normal": "green",
    "Draining": "yellow",
    "Down": "red",
    "Aborted": "red",
    "differing": "magenta",
    "ok": "green",
    "down": "red",
    "unknown": "magenta",
    "healthy": "green",
    "degraded": "yellow",
    "unhealthy": "red",
    "critical": "bold red",
    "warning": "yellow",
    "info": "cyan",
    "stale": "yellow",
    UNKNOWN: "magenta",
}
"""Words that have a colour, wherever they stand; each says by itself what the colour says."""

# what a spreadsheet would take for a formula
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class TableColumn(Struct, frozen=True):
    """One column: its name in CSV, with blanks for dashes in a table."""

    name: str
    value: Callable[[Any], Cell]
    folds: bool = False
    """Whether long text goes on in the next line; else it is cut last."""

    @property
    def title(self) -> str:
        """Name it in a table."""
        return self.name.replace("_", " ").upper()


class Output:
    """Standard output, and how it is written to."""

    def __init__(self, form: Form, stream: TextIO | None = None) -> None:
        self.form = form
        self._stream = stream or sys.stdout
        self.tty = self._stream.isatty()
        plain = "NO_COLOR" in os.environ and os.environ["NO_COLOR"] != ""
        self.color = self.tty and not plain and os.environ.get("TERM") not in (None, "", "dumb")

    def document(self, document: object) -> None:
        """Write JSON, indented for whoever reads it."""
        text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
        self.write(json_safe(text).replace("\x7f", "\\u007f") + "\n")

    def rows(self, columns: Sequence[TableColumn], rows: Sequence[Any]) -> None:
        """Write rows as CSV or as a table."""
        self.write(as_csv(columns, rows) if self.form == "csv" else self.table(columns, rows))

    def table(self, columns: Sequence[TableColumn], rows: Sequence[Any]) -> str:
        """Make a table."""
        width = _width() if self.tty else UNBOUND
        # what has no room goes on in the terminal's next line: nothing is left out
        return self.rendered(table(columns, rows), width if _least(columns, rows) <= width else UNBOUND)

    def rendered(self, what: object, width: int | None = None) -> str:
        """Write something of rich as text for this output."""
        if width is None:
            width = _width() if self.tty else UNBOUND
        console = Console(
            file=io.StringIO(),
            force_terminal=self.color,
            color_system="standard" if self.color else None,
            no_color=not self.color,
            width=width,
            markup=False,
            highlight=False,
            emoji=False,
            legacy_windows=False,
        )
        with console.capture() as captured:
            console.print(what)
        return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())

    def line(self, text: str, style: str = "") -> None:
        """Write a line in which nothing can do harm."""
        self.write(self.rendered(Text(clean(text), style, overflow="fold")))

    def write(self, text: str) -> None:
        """Write at once. Raises TerminalError; OutputClosedError where nobody reads any more."""
        # not by the stream: where that is not buffered, a part that is not written is lost without a word
        rest = memoryview(text.encode(self._stream.encoding or "utf-8", "backslashreplace"))
        try:
            while rest:
                rest = rest[os.write(self._stream.fileno(), rest) :]
        except BrokenPipeError:
            raise OutputClosedError from None
        except OSError as error:
            raise TerminalError(f"what was found cannot be written: {error.strerror}", IO) from error


def table(columns: Sequence[TableColumn], rows: Sequence[Any]) -> Table:
    """Make a table for rich; numbers stand at the right."""
    cells = [[column.value(row) for column in columns] for row in rows]
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for place, column in enumerate(columns):
        numeric = any(
            isinstance(line[place], int | float) and not isinstance(line[place], bool) for line in cells
        )
        made.add_column(
            Text(column.title),
            justify="right" if numeric else "left",
            no_wrap=not column.folds,
            overflow="fold" if column.folds else "ellipsis",
        )
    for line in cells:
        made.add_row(*map(shown, line))
    return made


def _least(columns: Sequence[TableColumn], rows: Sequence[Any]) -> int:
    """Tell how wide a table must be so that nothing of it is cut."""
    widths = [
        max([len(column.title), *(len(words(column.value(row))) for row in rows)]) for column in columns
    ]
    return sum(
        2 + (min(width, _FOLDED) if column.folds else width)
        for column, width in zip(columns, widths, strict=True)
    )


def shown(cell: Cell) -> Text:
    """Write a value for people."""
    text = words(cell)
    return Text(text, STYLES.get(text, ""))


def words(cell: Cell) -> str:
    """Write a value in words that a terminal may have."""
    if cell is None:
        return UNKNOWN
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:g}"
    return clean(str(cell)) or NOTHING


def as_csv(columns: Sequence[TableColumn], rows: Sequence[Any]) -> str:
    """Write CSV (RFC 4180): what is not known is an empty cell, and no cell is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    writer.writerows([_csv_cell(column.value(row)) for column in columns] for row in rows)
    return text.getvalue()


def _csv_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    text = clean(str(cell))
    return f"'{text}" if isinstance(cell, str) and text.startswith(_FORMULA) else text


def _width() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except OSError:
        return 80

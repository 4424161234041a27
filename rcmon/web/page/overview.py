"""What the page shows, computed from the snapshot: totals, rows, words for times and numbers."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import urlencode

from msgspec import Struct

from rcmon.documents.shapes import SiteEntry
from rcmon.model import SITE_STATES
from rcmon.timestamps import iso, moment
from rcmon.web.about import BASE
from rcmon.web.api.site_query import DIFFERING, UNKNOWN, SiteSelection, differs
from rcmon.web.page.paths import site_page

DASH = "\N{EN DASH}"
OVERFLOW = 1.2
"""Jobs may exceed slots so far: a workflow of high priority is let in above the threshold (WMCore)."""
THIN_SPACE = "\N{NARROW NO-BREAK SPACE}"
_WILD = re.compile(r"[*?\[]")
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


class SiteColumn(Struct, frozen=True):
    """A column of the table."""

    key: str
    """What it sorts by."""
    title: str
    heading: str
    numeric: bool = True


COLUMNS: tuple[SiteColumn, ...] = (
    SiteColumn("name", "Site", "Site", numeric=False),
    SiteColumn("tier", "Tier", "Tier", numeric=False),
    SiteColumn("state", "State", "State", numeric=False),
    SiteColumn("running_jobs", "Running jobs", "Running jobs"),
    SiteColumn("running_slots", "Running slots", "of slots"),
    SiteColumn("pending_jobs", "Pending jobs", "Pending jobs"),
    SiteColumn("pending_slots", "Pending slots", "of slots"),
    SiteColumn("agents", "Agents", "Agents"),
)
"""Columns of the table; the first is always there."""
USUAL = tuple(column.key for column in COLUMNS[1:-1])
"""Those that are shown where nobody chose."""


class Share(Struct, frozen=True):
    """Jobs against the slots for them."""

    jobs: int | None
    slots: int | None

    @property
    def percent(self) -> int | None:
        """How full it is, cut at 100; None: there is nothing to compare with."""
        if self.slots is None or self.jobs is None:
            return None
        if not self.slots:
            return 100 if self.jobs else 0
        return min(round(100 * self.jobs / self.slots), 100)

    @property
    def fill(self) -> str:
        """Name the class that draws how full it is, in steps of five."""
        if self.percent is None:
            return ""
        return f"p{5 * -(-self.percent // 5)}" + (" over" if self.over else "")

    @property
    def over(self) -> bool:
        """Whether there are more jobs than slots and the legitimate overflow explain."""
        return self.slots is not None and self.jobs is not None and self.jobs > OVERFLOW * self.slots


class Row(Struct, frozen=True):
    """One site as the table shows it."""

    name: str
    link: str
    tier: str | None
    states: Sequence[tuple[str, str]]
    """Each state the agents hold it in, with their names where they differ."""
    differs: bool
    agents: int
    running: Share
    pending: Share


class GridTotals(Struct, frozen=True):
    """All sites together."""

    sites: int
    by_state: Mapping[str, int]
    """Sites by state, DIFFERING and UNKNOWN among them, in a fixed order, without zeros."""
    running: Share
    pending: Share

    @property
    def bar(self) -> Sequence[tuple[str, float, float]]:
        """Parts of a bar of width 100: state, where it begins, how wide it is."""
        parts, start = [], 0.0
        for state, count in self.by_state.items():
            width = 100 * count / self.sites
            parts.append((state, round(start, 3), round(width, 3)))
            start += width
        return parts


class Heading(Struct, frozen=True):
    """A column's heading, which sorts by it."""

    key: str
    title: str
    link: str
    order: str
    """As aria-sort says it: ascending, descending, none."""
    numeric: bool


def row(entry: SiteEntry) -> Row:
    """Show one site."""
    varied = differs(entry)
    return Row(
        name=entry.name,
        link=site_page(entry.name),
        tier=entry.tier,
        states=[(state, ", ".join(held) if varied else "") for state, held in entry.states.items()],
        differs=varied,
        agents=len(entry.agents),
        running=Share(entry.jobs.running, entry.running_slots),
        pending=Share(entry.jobs.pending, entry.pending_slots),
    )


def totals(entries: Iterable[SiteEntry]) -> GridTotals:
    """Sum up sites; slots are those that are known."""
    every = list(entries)
    counts = Counter(_state(entry) for entry in every)
    order = (*SITE_STATES, *sorted(counts.keys() - {*SITE_STATES, DIFFERING, UNKNOWN}), DIFFERING, UNKNOWN)
    return GridTotals(
        sites=len(every),
        by_state={state: counts[state] for state in order if counts[state]},
        running=Share(
            _sum(every, lambda entry: entry.jobs.running) if every else 0,
            _sum(every, lambda entry: entry.running_slots),
        ),
        pending=Share(
            _sum(every, lambda entry: entry.jobs.pending) if every else 0,
            _sum(every, lambda entry: entry.pending_slots),
        ),
    )


def _state(entry: SiteEntry) -> str:
    return DIFFERING if differs(entry) else entry.state or UNKNOWN


def _sum(entries: Iterable[SiteEntry], value: Callable[[SiteEntry], int | None]) -> int | None:
    known = [slots for entry in entries if (slots := value(entry)) is not None]
    return sum(known) if known else None


def headings(wanted: SiteSelection, shown: Sequence[str] = ()) -> Sequence[Heading]:
    """Make the table's headings: a click sorts by the column, a second one the other way round.

    `shown`: the columns that somebody chose; none where nobody did.
    """
    return [_heading(wanted, shown, column) for column in COLUMNS]


def orders(wanted: SiteSelection) -> Sequence[tuple[str, str]]:
    """List the orders of the table, as a query has them, in words; one that somebody wrote himself, too."""
    found = [("", COLUMNS[0].title)]
    for column in COLUMNS:
        if column.numeric:
            found += [
                (f"-{column.key}", f"{column.title}, most first"),
                (column.key, f"{column.title}, fewest first"),
            ]
        else:
            found += [(key, words) for key, words in _both_ways(column) if key != COLUMNS[0].key]
    asked = ",".join(wanted.sort)
    return found if asked in dict(found) else [*found, (asked, asked)]


def _both_ways(column: SiteColumn) -> Sequence[tuple[str, str]]:
    return (column.key, column.title), (f"-{column.key}", f"{column.title}, backwards")


def _heading(wanted: SiteSelection, shown: Sequence[str], column: SiteColumn) -> Heading:
    key = column.key
    first, second = (f"-{key}", key) if column.numeric else (key, f"-{key}")
    current = wanted.sort[0] if wanted.sort else "name"
    sort = second if current == first else first
    order = "none" if current.removeprefix("-") != key else "descending" if current[0] == "-" else "ascending"
    asked = [*filters(wanted), ("sort", sort), *(("columns", one) for one in shown)]
    return Heading(key, column.heading, f"{BASE}/?{urlencode(asked)}#sites", order, column.numeric)


def filters(wanted: SiteSelection) -> list[tuple[str, str]]:
    """List what of a selection filters, as a query has it."""
    return [(name, item) for name in ("site", "state", "agent", "tier") for item in getattr(wanted, name)]


def exports(wanted: SiteSelection, shown: Sequence[str]) -> Mapping[str, str]:
    """Tell where this very view is as CSV and as JSON: the API's names are whole and in one case."""
    asked = [
        (name, anywhere(item) if name == "site" else item) for name, item in filters(wanted) if item.strip()
    ]
    asked += [("sort", key) for key in wanted.sort]
    columns = ("name", *shown)
    fields = [*columns, "states"] if "state" in columns else columns
    return {
        form: f"{BASE}/api/sites?{urlencode([*asked, ('fields', ','.join(fields)), ('format', form)])}"
        for form in ("csv", "json")
    }


def anywhere(typed: str) -> str:
    """Write what somebody typed as a pattern of whole names: any part, in any case."""
    part = typed.strip()
    whole = part if _WILD.search(part) else f"*{part}*"
    pieces = re.split(r"(\[[^\]]*\])", whole)
    return "".join(
        piece if piece.startswith("[") else re.sub("[a-zA-Z]", _either_case, piece) for piece in pieces
    )


def _either_case(found: re.Match[str]) -> str:
    return f"[{found[0].lower()}{found[0].upper()}]"


def number(value: float | None) -> str:
    """Write a number for reading; what is not known is a dash."""
    return DASH if value is None else f"{value:,}".replace(",", THIN_SPACE)


def span(seconds: float | None) -> str:
    """Write a duration in its two largest units."""
    if seconds is None:
        return DASH
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    whole = round(seconds)
    for index, (size, unit) in enumerate(_UNITS):
        if whole >= size:
            smaller, name = (*_UNITS, (1, "s"))[index + 1]
            rest = whole % size // smaller
            return f"{whole // size} {unit}" + (f" {rest} {name}" if rest else "")
    return f"{whole} s"


def minute(time: str | None) -> str:
    """Write a time of the API for reading, to the minute."""
    return DASH if time is None else f"{time[:10]} {time[11:16]} UTC"


def who(subject: str | None) -> str:
    """Name who a certificate's subject is, in short: its last common name."""
    if subject is None:
        return DASH
    _, found, name = subject.rpartition("/CN=")
    return name if found and name else subject


def local(text: str) -> str:
    """Write a time of a query as a browser's field of date and time takes it, in UTC."""
    found = moment(text) if text else None
    return "" if found is None else (iso(found) or "")[:16]


def second(time: str | None) -> str:
    """Write a time of the API for reading, to the second."""
    return DASH if time is None else f"{time[:10]} {time[11:19]} UTC"

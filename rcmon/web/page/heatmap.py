"""Maps of the grid, drawn: a column for each site, a row for each agent or task type.

`heatmap.js` draws the same in a browser, from the same characters.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby

from msgspec import Struct

from rcmon.documents.overview import MapRow, OverviewDocument

WIDE, NARROW = 14, 7
"""Of a column; a map of few sites has wide ones."""
FEW = 80
BAND = 160
"""Columns of one band at most: a grid of many sites is shown in several, one below the other."""
PITCH = 16
"""Of a row."""
TOP = 16
"""Room for the tiers' names."""
_NAME = 20
"""Width of such a name."""


class Band(Struct, frozen=True):
    """A part of a map."""

    sites: Sequence[str]
    width: int
    height: int
    column: int
    """Width of a column."""
    tiers: Sequence[tuple[int, str]]
    """Where the columns of a tier begin, and its name."""
    paths: Mapping[str, str]
    """The squares of each shade, as SVG writes them: a broad line through neighbours that are alike."""


class Map(Struct, frozen=True):
    """Sites by agents or by task types."""

    name: str
    title: str
    rows: Sequence[MapRow]
    bands: Sequence[Band]
    counts: Mapping[str, int]
    """Squares of each shade, in the order of the legend, without zeros."""


def maps(seen: OverviewDocument, shown: Collection[str]) -> Sequence[Map]:
    """Draw both maps of the sites that are shown."""
    picked = [number for number, site in enumerate(seen.sites) if site.name in shown]
    return [
        _map("tasks", "Sites by task type", seen, seen.tasks, picked),
        _map("agents", "Sites by agent", seen, seen.agents, picked),
    ]


def _map(name: str, title: str, seen: OverviewDocument, rows: Sequence[MapRow], picked: Sequence[int]) -> Map:
    bands = -(-len(picked) // BAND)
    size = -(-len(picked) // bands) if bands else 0
    column = WIDE if len(picked) <= FEW else NARROW
    parts = [picked[start : start + size] for start in range(0, len(picked), size)] if size else []
    counts = Counter(row.shades[number] for row in rows for number in picked)
    return Map(
        name=name,
        title=title,
        rows=rows,
        bands=[_band(seen, rows, part, column) for part in parts],
        counts={shade: counts[shade] for shade in seen.shades if counts[shade]},
    )


def _band(seen: OverviewDocument, rows: Sequence[MapRow], part: Sequence[int], column: int) -> Band:
    paths: dict[str, list[str]] = {}
    for index, row in enumerate(rows):
        y, place = TOP + index * PITCH + PITCH // 2, 0
        for shade, run in groupby(row.shades[number] for number in part):
            length = len(list(run))
            paths.setdefault(shade, []).append(f"M{place * column} {y}h{length * column}")
            place += length
    tiers: list[tuple[int, str]] = []
    before: str | None = None
    for place, number in enumerate(part):
        tier = seen.sites[number].tier or ""
        if before != tier:
            if tiers and place * column - tiers[-1][0] < _NAME:
                tiers.pop()  # there is no room for its name
            tiers.append((place * column, tier))
            before = tier
    return Band(
        sites=[seen.sites[number].name for number in part],
        width=len(part) * column,
        height=TOP + len(rows) * PITCH,
        column=column,
        tiers=tiers,
        paths={shade: "".join(paths[shade]) for shade in seen.shades if shade in paths},
    )

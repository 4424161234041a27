"""The document of all sites in short, with the maps of what is submitted where."""

from collections.abc import Iterable, Mapping, Sequence

from rcmon.documents import keys
from rcmon.documents.overview import MapRow, OverviewDocument, OverviewRow
from rcmon.model import Cell, Document, Site, Snapshot
from rcmon.render.encoding import json_document
from rcmon.rules.judging import Places
from rcmon.rules.shading import (
    ABSENT,
    BLOCKED,
    FILLED,
    FULL,
    LETTERS,
    NO_REASON,
    NOTHING,
    PARTLY,
    UNKNOWN,
    UNSET,
    WAITING,
    shade,
)
from rcmon.timestamps import iso

SHADES: Mapping[str, str] = {
    ABSENT: "the agent does not have the site",
    NOTHING: "nothing is meant to run there",
    FILLED[0]: "open, nothing runs",
    FILLED[1]: "open, up to 25 % of the slots used",
    FILLED[2]: "open, up to 50 %",
    FILLED[3]: "open, up to 75 %",
    FILLED[4]: "open, more than 75 %",
    FULL: "at its limit",
    WAITING: "submits, but nothing new is let in",
    PARTLY: "blocked in part",
    BLOCKED: "blocked",
    UNSET: "not configured",
    UNKNOWN: "not known",
}
"""What each shade means, in words."""


def overview_document(snapshot: Snapshot, places: Places, previous: Mapping[str, Document]) -> Document:
    """Render all sites in short; `places`: the verdicts."""
    names = list(snapshot.sites)
    document = OverviewDocument(
        timestamp=iso(snapshot.started),
        sites=[_row(site) for site in snapshot.sites.values()],
        agents=list(_agents(places, names)),
        tasks=list(_tasks(places, names)),
        shades=SHADES,
        reasons={letter: name for name, letter in LETTERS.items()},
    )
    return json_document(keys.OVERVIEW, document, previous)


def _row(site: Site) -> OverviewRow:
    alone = len(site.states) == 1
    return OverviewRow(
        name=site.name,
        tier=site.tier,
        states={state: () if alone else agents for state, agents in site.states.items()},
        running_jobs=site.jobs.running,
        running_slots=site.running_slots,
        pending_jobs=site.jobs.pending,
        pending_slots=site.pending_slots,
        agents=len(site.agents),
    )


_NOWHERE = (ABSENT, NO_REASON)


def _agents(places: Places, names: Sequence[str]) -> Iterable[MapRow]:
    """Shade each agent's sites, over their task types."""
    for agent, sites in places.items():
        found = {
            name: shade(place.cells, place.running, place.running_slots) for name, place in sites.items()
        }
        yield _map_row(agent, [found.get(name, _NOWHERE) for name in names])


def _tasks(places: Places, names: Sequence[str]) -> Iterable[MapRow]:
    """Shade each task type at each site, over the agents."""
    cells: dict[str, dict[str, list[Cell]]] = {}
    for sites in places.values():
        for name, place in sites.items():
            for cell in place.cells:
                cells.setdefault(cell.task, {}).setdefault(name, []).append(cell)
    for task in sorted(cells):
        found = {
            name: shade(seen, sum(cell.running for cell in seen), _slots(seen))
            for name, seen in cells[task].items()
        }
        yield _map_row(task, [found.get(name, _NOWHERE) for name in names])


def _slots(cells: Iterable[Cell]) -> int | None:
    known = [cell.max_slots for cell in cells if cell.max_slots is not None]
    return sum(known) if known else None


def _map_row(name: str, squares: Sequence[tuple[str, str]]) -> MapRow:
    return MapRow(name, "".join(one for one, _ in squares), "".join(reason for _, reason in squares))

"""Who holds the slots: the workflows with most jobs, by site and task type."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from rcmon.model import Holder, Holders
from rcmon.sources.database import Row
from rcmon.sources.plausible import Values

KEPT = 25
"""So many workflows of a cell are kept by name, by running and by pending jobs; the others are added up."""

Cell = tuple[str, str, int | None]
"""Name of a site, name of a task type, row of wmbs_workflow."""
Held = Mapping[Cell, tuple[int, int]]
"""Pending and running jobs."""


def holders(held: Held, names: Sequence[Row], values: Values) -> Mapping[str, Mapping[str, Holders]]:
    """Put the jobs together by site, task type and workflow; sorted by the first two."""
    known = values.table(
        "wmbs_workflow",
        names,
        lambda row: (values.key("wmbs_workflow.id", row[0]), values.label("wmbs_workflow.name", row[1])),
    )
    cells: dict[tuple[str, str], dict[str | None, tuple[int, int]]] = defaultdict(dict)
    for (site, task, row), (pending, running) in held.items():
        cell = cells[site, task]
        name = None if row is None else known.get(row)
        before = cell.get(name, (0, 0))
        cell[name] = (before[0] + pending, before[1] + running)
    found: dict[str, dict[str, Holders]] = {}
    for site, task in sorted(cells):
        found.setdefault(site, {})[task] = _cut(cells[site, task])
    return found


def _cut(jobs: Mapping[str | None, tuple[int, int]]) -> Holders:
    """Keep those with most jobs by name; what has no name is among the others."""
    named = {name: counts for name, counts in jobs.items() if name is not None}
    kept = set(named)
    if len(named) > KEPT:
        kept = {
            name for turn in (0, 1) for name in sorted(named, key=lambda one: (-named[one][turn], one))[:KEPT]
        }
    others = [counts for name, counts in jobs.items() if name is None or name not in kept]
    return Holders(
        tuple(
            Holder(name, *named[name])
            for name in sorted(kept, key=lambda one: (-named[one][1], -named[one][0], one))
        ),
        len(others),
        sum(pending for pending, _ in others),
        sum(running for _, running in others),
    )

"""Why work did not run at a past moment, by `rcmon.rules.then`."""

from collections.abc import Callable

from rcmon.documents.then import Then
from rcmon.model import Place
from rcmon.rules.then import has_tasks, judge_then
from rcmon.web.api.then import PastGrid

NOT_KEPT = (
    "priorities, so that jobs of a higher priority may have overflowed what was full",
    "the CMS name and plug-in of a site",
    "the work queue: what was let in",
    "the site status board: whether somebody held down what was Down",
    "job ads and what agents reported",
)
"""What history does not tell, in words."""
_NAMED = 20
"""Places that are named at most."""


def why_then(world: PastGrid, rest: Callable[[], None], only: str | None = None) -> dict[str, list[Place]]:
    """Judge all that was there, or one site of it; by site, sorted. `rest` is called after each."""
    places: dict[str, list[Place]] = {}
    for name, rows in world.by_agent().items():
        for site, place in judge_then(name, world.agents[name], rows, only):
            places.setdefault(site, []).append(place)
            rest()
    return {site: places[site] for site in sorted(places)}


def told(world: PastGrid, site: str | None = None) -> Then:
    """Say of which moment the answer is, and of which places it holds nothing."""
    lacking = [
        f"{row.site} in {row.agent}"
        for row in world.rows
        if not has_tasks(row) and (site is None or row.site == site)
    ]
    more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
    named = f"the task types of {', '.join(lacking[:_NAMED])}{more}"
    unknown = sorted(name for name, agent in world.agents.items() if agent.down_components is None)
    silent = f"the components of {', '.join(unknown[:_NAMED])}"
    return world.told([*NOT_KEPT, *([named] if lacking else []), *([silent] if unknown else [])])

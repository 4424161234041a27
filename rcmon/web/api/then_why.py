"""Why work did not run at a past moment, by `rcmon.rules.then`."""

from collections.abc import Callable, Container

from msgspec import structs

from rcmon.documents.then import Then
from rcmon.model import Place
from rcmon.rules.then import has_tasks, judge_then, name_then
from rcmon.store import Store
from rcmon.web.api.then import PastGrid
from rcmon.web.api.why import Chosen, WhyQuery, select

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


def why_then(
    world: PastGrid, rest: Callable[[], None], sites: Container[str] | None = None
) -> dict[str, list[Place]]:
    """Judge all that was there, or some sites of it; by site, sorted. `rest` is called after each."""
    places: dict[str, list[Place]] = {}
    for name, rows in world.by_agent().items():
        for site, place in judge_then(name, world.agents[name], rows, sites):
            places.setdefault(site, []).append(place)
            rest()
    return {site: places[site] for site in sorted(places)}


async def select_then(store: Store, world: PastGrid, wanted: WhyQuery) -> Chosen:
    """Select what is wanted of a past moment, and judge no more than that takes. Raises Problem 400."""
    if wanted.by_verdict:
        return await select(await store.compute(lambda rest: why_then(world, rest)), wanted)
    chosen = await select(_named(world), wanted)
    sites = {site for site, _, _ in chosen.page}
    judged = await store.compute(lambda rest: why_then(world, rest, sites))
    cells = {
        (site, place.agent, cell.task): (site, place, cell)
        for site, places in judged.items()
        for place in places
        for cell in place.cells
    }
    page = [cells[site, place.agent, cell.task] for site, place, cell in chosen.page]
    return structs.replace(chosen, page=page)


def _named(world: PastGrid) -> dict[str, list[Place]]:
    """Give what `why_then` judges, unjudged."""
    places: dict[str, list[Place]] = {}
    for name, rows in world.by_agent().items():
        for site, place in name_then(name, rows):
            places.setdefault(site, []).append(place)
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

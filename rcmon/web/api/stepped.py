"""One site's history at each step of a part, by agent."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from sqlalchemy import Connection

from rcmon.store import Store
from rcmon.store.horizons import Horizons, read_horizons
from rcmon.store.packing import COARSE
from rcmon.store.past import Fetched, Wanted, fetch, find_series
from rcmon.store.steps import steps
from rcmon.timestamps import iso
from rcmon.web.api.past import Part, SiteStep, TaskStep, site_steps


class Stepped(Struct, frozen=True):
    """What held at each step."""

    times: Sequence[int]
    """Seconds since the epoch."""
    series: Mapping[str, Sequence[SiteStep] | Sequence[TaskStep]]
    """By agent, a point for each time; without agents nothing at all is kept of the site."""
    resolution: int
    """Seconds that may lie between what is kept where it begins; 0: every change is."""


async def read_stepped(store: Store, site: str, part: Part, agent: str = "", task: str = "") -> Stepped:
    """Read a part that has steps: of all agents or one, of the site or of a task type. Raises StoreError."""
    coarse = COARSE if part.step % COARSE == 0 else 0
    wanted = Wanted(next(part.times(), part.since), part.until, coarse, bool(task))

    def fetched(connection: Connection) -> tuple[Fetched, Horizons]:
        series = find_series(connection, site, agent or None)
        return fetch(connection, series, wanted), read_horizons(connection)

    found, horizons = await store.ask(fetched)
    resolution = COARSE if part.since < horizons.raw else 0
    return await store.compute(lambda rest: _stepped(found, part, task, resolution, rest))


def _stepped(found: Fetched, part: Part, task: str, resolution: int, rest: Callable[[], None]) -> Stepped:
    times = [*part.times()]
    told = [iso(time) for time in times]
    held = steps(found, [time * 1000 for time in times], task, rest)
    return Stepped(
        times, {one.agent: site_steps(values, told, task) for one, values in held.items()}, resolution
    )

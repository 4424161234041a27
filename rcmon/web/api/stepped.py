"""One site's history at each step of a part, by agent."""

import asyncio
from collections.abc import Mapping, Sequence

from msgspec import Struct

from rcmon.store import Store
from rcmon.store.chunks import Points, milliseconds
from rcmon.store.horizons import read_horizons
from rcmon.store.packing import COARSE
from rcmon.store.past import Series, Wanted, find_series, places_at, read_past
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
    async with store.asking() as connection:
        series = await find_series(connection, site, agent or None)
        past = await read_past(connection, series, wanted)
        horizons = await read_horizons(connection)
    resolution = COARSE if part.since < horizons.raw else 0
    return await asyncio.to_thread(_stepped, past, part, task, resolution)


def _stepped(past: Mapping[Series, Points], part: Part, task: str, resolution: int) -> Stepped:
    times = [*part.times()]
    told = [iso(time) for time in times]
    moments = [milliseconds(time) for time in times]
    series = {
        one.agent: site_steps(points, places_at(points, moments), told, task) for one, points in past.items()
    }
    return Stepped(times, series, resolution)

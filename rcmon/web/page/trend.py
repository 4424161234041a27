"""The last day of the grid's totals, as small curves beside the figures."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from msgspec import Struct
from sqlalchemy import Connection

from rcmon.errors import StoreError
from rcmon.model import GridPoint
from rcmon.store import Store
from rcmon.store.grid import read_grid
from rcmon.timestamps import iso
from rcmon.web.page.overview import number

DAY = 86400
STEP = 900
WIDTH, HEIGHT = 96, 24
"""Of a curve: a unit for each step; a picture's own units else."""
_FRESH = 60.0
"""Seconds for which what was read of the store is shown."""
_MOST = 10_000

FIGURES: Mapping[str, Callable[[GridPoint], int | None]] = {
    "running": lambda point: point.running_jobs,
    "pending": lambda point: point.pending_jobs,
    "normal": lambda point: point.sites.get("Normal", 0) if point.sites else None,
}
"""What is shown of a point; None: it was not known."""


class Reach(Struct, frozen=True):
    """Between what one figure was in the last day, with all that it was between the steps."""

    least: int
    most: int
    since: float | None
    """When it was first known; None: it was when the day began."""
    whole: bool
    """Whether it was known from then on without a gap."""


class LastDay(Struct, frozen=True):
    """The last day as the store holds it."""

    held: Sequence[GridPoint | None] = ()
    """What held at each step, oldest first; None: nothing is known of then."""
    reaches: Mapping[str, Reach] = {}
    """By figure; those of which nothing is known are not there."""


class Curve(Struct, frozen=True):
    """One figure over the last day; empty where nothing is known of it."""

    path: str
    """As SVG writes it: it goes right until the figure changes; a gap is where nothing is known."""
    words: str
    """The same for who does not see it."""
    since: str | None = None
    """Since when that is known; None: all of the day, or nothing."""


class Trend:
    """The last day as the store holds it, read again where it is old. `clock`: seconds since the epoch."""

    def __init__(
        self, store: Store, clock: Callable[[], float], running: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._clock, self._running = store, clock, running
        self._day = LastDay()
        self._read_at: float | None = None

    async def day(self) -> LastDay:
        """Give the last day; where the store cannot be read, as it was known last."""
        if self._read_at is None or self._running() - self._read_at >= _FRESH:
            self._read_at = self._running()
            with suppress(StoreError):  # the board tells of the store's trouble
                self._day = await self._store.ask(partial(read_day, until=self._clock()))
        return self._day


def read_day(connection: Connection, until: float) -> LastDay:
    """Read the day that ends at a time."""
    since = until - DAY
    points = read_grid(connection, since, until, _MOST)
    cut = len(points) == _MOST  # what came after the last is not known then
    known = points[-1].time if cut else until
    times = [since + STEP * n for n in range(1, DAY // STEP + 1)]
    held = [
        point if moment <= known else None
        for moment, point in zip(times, held_at(points, times), strict=True)
    ]
    reaches = {name: reach(points, figure, since, cut=cut) for name, figure in FIGURES.items()}
    return LastDay(held, {name: found for name, found in reaches.items() if found is not None})


def reach(
    points: Sequence[GridPoint], figure: Callable[[GridPoint], int | None], since: float, *, cut: bool
) -> Reach | None:
    """Find between what a figure was from a time on; None: nothing is known of it.

    `cut`: there may be points later than those that are given.
    """
    found = [(point.time, figure(point)) for point in points]
    known = [(time, value) for time, value in found if value is not None]
    if not known:
        return None
    first = known[0][0]
    gaps = any(value is None for time, value in found if time > first)
    values = [value for _, value in known]
    return Reach(min(values), max(values), first if first > since else None, not (gaps or cut))


def held_at(points: Sequence[GridPoint], times: Sequence[float]) -> list[GridPoint | None]:
    """Give the point that held at each time; None: nothing is kept of then."""
    held: list[GridPoint | None] = []
    last, at = None, 0
    for moment in times:
        while at < len(points) and points[at].time <= moment:
            last, at = points[at], at + 1
        held.append(last)
    return held


def curve(day: LastDay, name: str) -> Curve:
    """Draw one figure."""
    reached = day.reaches.get(name)
    if reached is None:
        return Curve("", "its last day is not known")
    values = [None if point is None else FIGURES[name](point) for point in day.held]
    return Curve(_path(values, reached), _words(reached), iso(reached.since))


def _path(values: Sequence[int | None], reached: Reach) -> str:
    height = (reached.most - reached.least) or 1
    parts: list[str] = []
    before: int | None = None
    for x, value in enumerate(values):
        if value is not None and value != before:
            y = round(HEIGHT - 2 - (HEIGHT - 4) * (value - reached.least) / height, 1)
            parts.append(f"M{x} {y:g}" if before is None else f"H{x}V{y:g}")
        elif value is None and before is not None:
            parts.append(f"H{x}")
        before = value
    if before is not None:
        parts.append(f"H{WIDTH}")
    return "".join(parts)


def _words(reached: Reach) -> str:
    least, most = number(reached.least), number(reached.most)
    day = "in the last 24 h " if reached.since is None else ""
    gaps = "" if reached.whole else "as far as known "
    return f"{day}{gaps}{least} all the time" if least == most else f"{day}{gaps}{least} to {most}"

"""The last day of the grid's totals, as small curves beside the figures."""

import time
from collections.abc import Callable, Sequence
from functools import partial

from msgspec import Struct

from rcmon.errors import StoreError
from rcmon.model import GridPoint
from rcmon.store import Store
from rcmon.store.grid import read_grid
from rcmon.web.page.overview import number

DAY = 86400
STEP = 900
WIDTH, HEIGHT = 96, 24
"""Of a curve: a unit for each step; a picture's own units else."""
_FRESH = 60.0
"""Seconds for which what was read of the store is shown."""
_MOST = 10_000


class Curve(Struct, frozen=True):
    """One figure over the last day; empty where nothing is known of it."""

    path: str
    """As SVG writes it: it goes right until the figure changes; a gap is where nothing is known."""
    words: str
    """The same for who does not see it."""


class Trend:
    """The last day as the store holds it, read again where it is old. `clock`: seconds since the epoch."""

    def __init__(
        self, store: Store, clock: Callable[[], float], running: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._clock, self._running = store, clock, running
        self._held: Sequence[GridPoint | None] = ()
        self._read_at: float | None = None

    async def points(self) -> Sequence[GridPoint | None]:
        """Give what held at each step, oldest first; where the store cannot be read, as it was known last."""
        if self._read_at is None or self._running() - self._read_at >= _FRESH:
            self._read_at = self._running()
            until = self._clock()
            try:
                found = await self._store.ask(partial(read_grid, since=until - DAY, until=until, limit=_MOST))
                self._held = held_at(found, [until - DAY + STEP * n for n in range(1, DAY // STEP + 1)])
            except StoreError:
                pass  # the board tells of the store's trouble
        return self._held


def held_at(points: Sequence[GridPoint], times: Sequence[float]) -> list[GridPoint | None]:
    """Give the point that held at each time; None: nothing is kept of then."""
    held: list[GridPoint | None] = []
    last, at = None, 0
    for moment in times:
        while at < len(points) and points[at].time <= moment:
            last, at = points[at], at + 1
        held.append(last)
    return held


def curve(points: Sequence[GridPoint | None], figure: Callable[[GridPoint], int | None]) -> Curve:
    """Draw one figure."""
    values = [None if point is None else figure(point) for point in points]
    known = [value for value in values if value is not None]
    if not known:
        return Curve("", "its last day is not known")
    least, most = min(known), max(known)
    height = (most - least) or 1
    parts: list[str] = []
    before: int | None = None
    for x, value in enumerate(values):
        if value is not None and value != before:
            y = round(HEIGHT - 2 - (HEIGHT - 4) * (value - least) / height, 1)
            parts.append(f"M{x} {y:g}" if before is None else f"H{x}V{y:g}")
        elif value is None and before is not None:
            parts.append(f"H{x}")
        before = value
    if before is not None:
        parts.append(f"H{WIDTH}")
    same = f"{number(least)} all the time" if least == most else f"{number(least)} to {number(most)}"
    return Curve("".join(parts), f"in the last 24 h {same}")

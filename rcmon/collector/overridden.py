"""What operators set, as the store has it when a cycle begins; and the end of what has had its time."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from sqlalchemy.ext.asyncio import AsyncConnection

from rcmon.collector.clock import Moment, set_by
from rcmon.model import Override, OverrideChange, Snapshot, SpotChange
from rcmon.rules.overriding import is_over
from rcmon.rules.toggling import agrees
from rcmon.store import Store
from rcmon.store.overrides import make_change, next_change, read_overrides

LOG = logging.getLogger(__name__)

LONGEST = 5.0
"""Seconds that reading them, or ending some, may take."""
DOUBTED = 3600.0
"""Seconds for which a clock that was set forward is not believed."""
GAP = 6 * 3600.0
"""Seconds between the last cycle and the first of a collector from which the clock may have been set."""
AGREED = 2
"""Cycles in a row in which what holds by itself must agree: a board that blinks ends nothing."""

OVER = "its time is over"
AGREES = "what holds by itself agrees"


class Belief:
    """Tells the time as the wall's clock does, but for what that was set forward by within the last hour.

    So nothing ends by a clock that jumps before somebody could look; a clock that is set back is believed, by
    which things end later.
    """

    def __init__(self) -> None:
        self._last: Moment | None = None
        self._sets: list[tuple[float, float]] = []  # when, as nobody's clock tells, and by how much

    def behind(self, now: Moment, last_cycle: float | None) -> float:
        """Tell by how many seconds the wall's clock is not believed; see `set_lately`."""
        return max(0.0, self.set_lately(now, last_cycle))

    def set_lately(self, now: Moment, last_cycle: float | None) -> float:
        """Tell by how many seconds the wall's clock was set within the last hour; less than 0: back.

        `last_cycle`: begin of the newest snapshot's, which is all that a collector that just began knows.
        """
        if self._last is not None:
            by = set_by(self._last, now)
        else:
            gap = 0.0 if last_cycle is None else now.wall - last_cycle
            by = gap if gap > GAP else 0.0
        self._last = now
        if by:
            self._sets.append((now.running, by))
        self._sets = [(at, by) for at, by in self._sets if now.running - at < DOUBTED]
        return sum(by for _, by in self._sets)


class Overridden:
    """Reads the overrides for each cycle, and ends those whose end has come.

    Whatever is wrong with the store, no cycle ends by it, and no override is forgotten for it: what was known
    before stays, and the log tells when that begins. `begin` begins a transaction that writes; it raises
    where another replica collects by now.
    """

    def __init__(
        self, store: Store, begin: Callable[[], AbstractAsyncContextManager[AsyncConnection]] | None = None
    ) -> None:
        self._store, self._begin = store, begin or store.adding
        self._belief = Belief()
        self._known: tuple[Override, ...] | None = None
        self._agreed: dict[Override, int] = {}
        self._failing: str | None = None

    def begin_anew(self) -> None:
        """Count no cycles that another one's came after."""
        self._agreed = {}

    async def look(self, now: Moment, last: Snapshot | None) -> tuple[tuple[Override, ...], float]:
        """Give those that hold, and by how many seconds the wall's clock is not believed.

        `last`: the newest snapshot; what would hold by itself is as it says.
        """
        behind = self._belief.behind(now, last.started if last else None)
        try:
            async with asyncio.timeout(LONGEST):
                await self._refresh(now.wall, now.wall - behind, last)
        except Exception as error:  # noqa: BLE001 - not even a fault of ours may end a cycle
            reason = str(error) or type(error).__name__
            if self._failing is None:
                LOG.warning("overrides cannot be read or ended, those read before stay: %s", reason)
            self._failing = reason
        else:
            self._failing = None
        if self._known is None:
            return (last.overrides if last else ()), behind
        return self._known, behind

    async def _refresh(self, wall: float, believed: float, last: Snapshot | None) -> None:
        async with self._store.reading() as connection:
            there = await read_overrides(connection)
        self._known = there
        self._agreed = {
            one: self._agreed.get(one, 0) + 1
            for one in there
            if one.mode == "toggle" and last is not None and agrees(one, last)
        }
        due = [(one, OVER) for one in there if is_over(one, believed)]
        due += [(one, AGREES) for one, times in self._agreed.items() if times >= AGREED]
        if due:
            await self._end(due, wall)

    async def _end(self, due: Sequence[tuple[Override, str]], wall: float) -> None:
        """End what is still as it was read: an operator may have been here since."""
        async with self._begin() as connection:
            number = await next_change(connection)
            there = await read_overrides(connection)
            for one, cause in due:
                if one in there:
                    spots = (SpotChange(one.site, one.agent, one, None),)
                    await make_change(connection, OverrideChange(number, wall, None, cause, spots))
                    number += 1
            there = await read_overrides(connection)
        self._known = there
        for one, cause in due:
            LOG.info("the override of %s in %s has ended: %s", one.site, one.agent or "every agent", cause)

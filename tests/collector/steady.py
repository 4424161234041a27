"""A cycle for which time passes as the test says: both clocks show the time that it is run at."""

from typing import Any

from rcmon.collector.clock import Moment
from rcmon.collector.cycle import Cycle
from rcmon.model import Snapshot


class Steady(Cycle):
    """Runs at the time it is given; `ahead` is by how much the wall's clock is then wrong."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.at = 0.0
        self.ahead = 0.0

    def moment(self, now: float) -> Moment:
        self.at = now - self.ahead
        return Moment(now, self.at)

    async def run_once(self, now: float) -> Snapshot:
        """Run a cycle of which nothing is published."""
        snapshot, _ = await self.run(self.moment(now), lambda _: None)
        return snapshot

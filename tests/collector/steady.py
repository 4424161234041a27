"""A cycle for which time passes as the test says: both clocks show the time that it is run at."""

from collections.abc import Callable
from typing import Any, TypeVar

from rcmon.collector.cycle import Cycle
from rcmon.model import Snapshot

T = TypeVar("T")


class Steady(Cycle):
    """Runs at the time it is given; `ahead` is by how much the wall's clock is then wrong."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords, running=lambda: self.at)
        self.at = 0.0
        self.ahead = 0.0

    async def run(self, now: float, prepare: Callable[[Snapshot], T]) -> tuple[Snapshot, T]:
        self.at = now - self.ahead
        return await super().run(now, prepare)

    async def run_once(self, now: float) -> Snapshot:
        """Run a cycle of which nothing is published."""
        snapshot, _ = await self.run(now, lambda _: None)
        return snapshot

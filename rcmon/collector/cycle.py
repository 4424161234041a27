"""One cycle: poll every source, merge what came in time, find what is wrong."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from msgspec import structs

from rcmon.collector import clock
from rcmon.collector.clock import Moment
from rcmon.collector.findings import told
from rcmon.collector.findings.turns import turns
from rcmon.collector.isolation import isolated
from rcmon.collector.merge import merge
from rcmon.collector.polling import Heard, Watch
from rcmon.collector.soundness import checked
from rcmon.errors import RcmonError
from rcmon.model import PUSHED, Override, Snapshot, Upstream, Watching
from rcmon.model.steering import Steered
from rcmon.rules.drift import drifts
from rcmon.rules.expecting import expectations
from rcmon.rules.forecast import forecasts
from rcmon.sources.base import Source

LOG = logging.getLogger(__name__)

T = TypeVar("T")

BUDGET = 0.6
"""Share of the interval that a cycle waits for its polls, unless told otherwise."""


class Cycle:
    """The sources, and the way from them to one snapshot after the other.

    `interval` and `stale_after` in seconds; `previous` is the snapshot that the next one continues. A cycle
    waits for the polls that it begins for the share `budget` of the interval. One that still runs then goes
    on, and joins the cycle in which it ends. `watching` says when findings are raised and cleared.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        interval: float,
        stale_after: float,
        previous: Snapshot | None = None,
        *,
        budget: float = BUDGET,
        watching: Watching = Watching(),  # noqa: B008 - it cannot change
    ) -> None:
        self.interval = interval
        self.stale_after = stale_after
        self.previous = previous
        self.clock_set: float | None = None
        """When the wall's clock was last found set, by the one that runs; None: never."""
        self.pushed: Upstream | None = None
        """What agents pushed, for the next cycle."""
        self.overrides: tuple[Override, ...] = ()
        """What operators set, for the next cycle."""
        self.behind = 0.0
        """Seconds by which the next cycle does not believe the wall's clock."""
        self.steer: Callable[[Snapshot], Steered] = lambda _: Steered()
        """Concludes what agents are to do; never raises."""
        self.blamed: Mapping[str, str] = {}
        """Sources whose data could not be dealt with in the last cycle, and why."""
        self._budget = budget * interval
        self._watching = watching
        self._last: Moment | None = None
        self._watches = [Watch(source) for source in sources]
        self._closing: set[asyncio.Task[None]] = set()

    def moment(self, now: float) -> Moment:
        """Tell by both clocks what time it is, if it is `now` by the wall's."""
        return Moment(now, time.monotonic())

    async def run(self, moment: Moment, prepare: Callable[[Snapshot], T]) -> tuple[Snapshot, T]:
        """Poll all sources, conclude from what came in time, and prepare what is to be published of it.

        `moment` is the cycle's begin, by both clocks as they were read together. No source's failure reaches
        another: also where merge, findings or `prepare`, which runs in a thread, raise for its data, the
        cycle goes on without.
        """
        begun, now = time.monotonic(), moment.wall
        self._look_at_clock(moment)
        await self._poll(now)
        heard = [watch.heard() for watch in self._watches]
        previous = self.previous

        def make(some: Sequence[Heard], pushed: Upstream | None) -> tuple[Snapshot, T]:
            snapshot = self._conclude(some, previous, now, begun, pushed)
            return snapshot, prepare(snapshot)

        (snapshot, prepared), causes = await asyncio.to_thread(_isolated, make, heard, self.pushed)
        _log_changes(previous, snapshot, heard, causes)
        self.previous, self.blamed = snapshot, {source: str(error) for source, error in causes.items()}
        return snapshot, prepared

    def go_on_from(self, last: Snapshot) -> None:
        """Continue what another one collected: what was polled here before may be older than that."""
        self.previous = last
        for watch in self._watches:
            watch.forget()

    def replace_sources(self, sources: Sequence[Source]) -> None:
        """Poll these from the next cycle on; those that are not among them any more are closed meanwhile."""
        kept = {id(watch.source): watch for watch in self._watches}
        self._watches = [kept.pop(id(source)) if id(source) in kept else Watch(source) for source in sources]
        for watch in kept.values():
            closing = asyncio.create_task(watch.close(), name=f"retire {watch.source.name}")
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Close all sources; polls that run are cut off."""
        self.replace_sources(())
        if self._closing:
            await asyncio.wait(self._closing)

    async def _poll(self, now: float) -> None:
        """Begin a poll of each source that has none running, and wait for these, but not too long."""
        begun = {task: watch for watch in self._watches if (task := watch.begin(now)) is not None}
        if begun:
            await asyncio.wait(
                begun, timeout=min(self._budget, max(watch.longest for watch in begun.values()))
            )

    def _look_at_clock(self, now: Moment) -> None:
        """Where the wall's clock was set since the last cycle, tell what was polled before by it.

        Where another process ran that cycle, a begin that is yet to come tells by how much at least.
        """
        by = clock.set_by(self._last, now) if self._last else 0.0
        self._last = now
        watches = self._watches if by else ()
        if not by and self.previous is not None and self.previous.started - now.wall > clock.TOLERANCE:
            by = now.wall - self.previous.started
        if not by:
            return
        LOG.warning("the clock was set %s by %.0f s", "forward" if by > 0 else "back", abs(by))
        self.clock_set = now.running
        for watch in watches:
            watch.shift(by)
        if self.previous is not None:
            self.previous = clock.shifted(self.previous, by)

    def _conclude(
        self,
        heard: Sequence[Heard],
        previous: Snapshot | None,
        now: float,
        begun: float,
        pushed: Upstream | None,
    ) -> Snapshot:
        times = {"interval": self.interval, "stale_after": self.stale_after}
        merged = merge(heard, previous, now, 0.0, **times, pushed=pushed)
        merged = structs.replace(merged, overrides=self.overrides, believed=now - self.behind)
        merged = structs.replace(merged, expected=expectations(merged))
        merged = structs.replace(merged, forecasts=forecasts(previous, merged))
        merged = structs.replace(merged, drift=tuple(drifts(merged)))
        merged = structs.replace(merged, turns=turns(previous, merged))
        merged = structs.replace(merged, steered=self.steer(merged))
        return structs.replace(told(merged, previous, self._watching), duration=time.monotonic() - begun)


def _isolated(
    make: Callable[[Sequence[Heard], Upstream | None], T], heard: Sequence[Heard], pushed: Upstream | None
) -> tuple[T, dict[str, Exception]]:
    """Conclude; where that raises, first without what was pushed, which is no source's."""
    sound = [structs.replace(one, polls=tuple(checked(poll) for poll in one.polls)) for one in heard]
    causes: dict[str, Exception] = {}
    if pushed is not None:
        try:
            return make(sound, pushed), causes
        except Exception as error:  # noqa: BLE001 - whatever it is: it is told, and the cycle goes on
            causes = {PUSHED: error}
    made, blamed = isolated(lambda some: make(some, None), sound)
    return made, blamed or causes


def _log_changes(
    previous: Snapshot | None,
    snapshot: Snapshot,
    heard: Sequence[Heard],
    causes: Mapping[str, Exception],
) -> None:
    """Log each source that failed or recovered, once, with what nobody expected to be raised."""
    up = {state.name: state.up for state in previous.sources} if previous else {}
    raised: dict[str, BaseException] = {
        poll.source: poll.cause for one in heard for poll in one.polls if poll.cause is not None
    }
    raised |= {source: error for source, error in causes.items() if not isinstance(error, RcmonError)}
    for state in snapshot.sources:
        if not state.up and up.get(state.name, True):
            LOG.warning("source %s fails: %s", state.name, state.error, exc_info=raised.get(state.name))
        elif state.up and not up.get(state.name, True):
            LOG.info("source %s works again", state.name)

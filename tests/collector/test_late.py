"""A poll that takes longer than a cycle waits: the cycle ends without it, and it joins the one it ends in."""

import asyncio
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from rcmon.collector.clock import Moment
from rcmon.collector.collector import Collector
from rcmon.collector.cycle import Cycle
from rcmon.collector.findings import findings
from rcmon.collector.process import make_room
from rcmon.collector.publisher import Publisher
from rcmon.model import Agent, Batch, Document, Snapshot
from rcmon.store import Store
from rcmon.store.pruning import Ages
from tests.collector.steady import Steady
from tests.scripted import Scripted, until
from tests.store.made import agent

HUNDRED_YEARS = 3e9


class Slow(Scripted):
    """Each poll ends when the test says so, with what it says then."""

    def __init__(self, name: str, *, timeout: float = HUNDRED_YEARS) -> None:
        super().__init__(name, timeout=timeout)
        self.answer: asyncio.Future[list[Agent]] = asyncio.get_running_loop().create_future()

    async def poll(self, now: float) -> Batch:
        self.polls += 1
        self.answer = asyncio.get_running_loop().create_future()
        return Batch(self.name, self.kind, now, 0.01, tuple(await self.answer))

    async def ends(self, *agents: Agent) -> None:
        self.answer.set_result(list(agents))
        await asyncio.sleep(0)
        await until(lambda: not [task for task in asyncio.all_tasks() if task.get_name() == "poll slow"])

    async def fails(self, error: Exception) -> None:
        self.answer.set_exception(error)
        await until(lambda: not [task for task in asyncio.all_tasks() if task.get_name() == "poll slow"])


def hurried(*sources: Scripted, stale_after: float = 3000.0) -> Steady:
    """Make a cycle that waits next to nothing."""
    return Steady(sources, 60.0, stale_after, budget=0.001)


async def test_a_poll_that_takes_longer_joins_the_cycle_in_which_it_ends() -> None:
    slow, good = Slow("slow"), Scripted("good", [agent("b")])
    cycle = hurried(slow, good)
    first = (await cycle.run_once(1000.0)).sources
    assert (first[0].up, first[0].stale, first[0].polling_since, first[0].errors_total) == (
        False,
        False,
        1000.0,
        0,
    )
    assert first[0].error == "its first poll has not ended yet"
    assert (first[1].up, first[1].polling_since) == (True, None)
    second = await cycle.run_once(1060.0)
    assert slow.polls == 1  # polls do not pile up
    assert list(second.agents) == ["b"]
    await slow.ends(agent("a", polled_at=1000.0))
    third = await cycle.run_once(1120.0)
    state = third.sources[0]
    assert list(third.agents) == ["a", "b"]
    assert (state.up, state.stale, state.last_success, state.error) == (True, False, 1000.0, None)
    assert state.polling_since == 1120.0  # the next poll began at once
    assert third.agents["a"].polled_at == 1000.0  # the age is that of the poll, not of the cycle
    fourth = await cycle.run_once(1180.0)
    state = fourth.sources[0]
    assert (state.up, state.stale, state.last_success, state.polling_since) == (True, True, 1000.0, 1120.0)
    await cycle.close()


@pytest.mark.parametrize("ended", [True, False], ids=["ended", "running"])
async def test_what_was_polled_before_another_one_collected_is_left_out(*, ended: bool) -> None:
    """It may be older than what that one knew: a replica slept, say, and collects again."""
    slow = Slow("slow")
    cycle = hurried(slow)
    await cycle.run_once(1000.0)
    theirs = await hurried(Scripted("slow", [agent("a", polled_at=1050.0)])).run_once(1050.0)
    if ended:
        await slow.ends(agent("a", 3, polled_at=1000.0))
    cycle.go_on_from(theirs)
    if not ended:
        await slow.ends(agent("a", 3, polled_at=1000.0))
    result = await cycle.run_once(1060.0)
    assert result.agents == theirs.agents
    assert (result.sources[0].last_success, result.sources[0].errors_total) == (1050.0, 0)
    await slow.ends(agent("a", 2, polled_at=1060.0))
    assert (await cycle.run_once(1120.0)).sources[0].last_success == 1060.0
    await cycle.close()


async def test_after_a_restart_by_a_clock_set_back_what_is_kept_grows_old_as_ever() -> None:
    day, hour = 86_400.0, 3600.0
    cycle = Cycle([Scripted("a", mood="fail")], 60.0, hour)
    before = Cycle([Scripted("a", [agent("a", polled_at=2 * day)])], 60.0, hour)
    last, _ = await before.run(before.moment(2 * day), lambda _: None)
    cycle.go_on_from(last)
    shown = []
    for later in (0.0, 0.5 * hour, 2 * hour):
        moment = Moment(day + later, 1000.0 + later)
        snapshot, _ = await cycle.run(moment, lambda _: None)
        shown.append([day + later - one.polled_at for one in snapshot.agents.values()])
    assert shown == [[0.0], [0.5 * hour], []]
    assert cycle.clock_set == 1000.0
    await cycle.close()
    await before.close()


async def test_the_good_ones_data_are_of_each_cycle_while_another_hangs() -> None:
    good = Scripted("good", [agent("b")])
    cycle = hurried(Scripted("hangs", mood="hang", timeout=HUNDRED_YEARS), good)
    for number in range(20):
        at = 1000.0 + number
        snapshot = await cycle.run_once(at)
        assert (snapshot.sources[1].last_success, snapshot.sources[1].stale) == (at, False)
    await cycle.close()


async def test_a_late_failure_counts_in_the_cycle_in_which_it_comes() -> None:
    slow = Slow("slow")
    cycle = hurried(slow)
    await cycle.run_once(1000.0)
    await slow.ends(agent("a"))
    assert (await cycle.run_once(1060.0)).sources[0].up
    await slow.fails(ValueError("hush"))
    state = (await cycle.run_once(1120.0)).sources[0]
    assert (state.up, state.stale, state.errors_total, state.last_success) == (False, True, 1, 1000.0)
    await slow.ends(agent("a"))
    state = (await cycle.run_once(1180.0)).sources[0]
    assert (state.up, state.stale, state.errors_total, state.last_success) == (True, False, 1, 1120.0)
    await cycle.close()


async def test_two_polls_that_end_in_one_cycle_count_both_and_the_newer_speaks() -> None:
    slow = Slow("slow")
    cycle = hurried(slow)
    await cycle.run_once(1000.0)
    await slow.fails(ValueError("hush"))
    slow.mood = "done"

    async def at_once(now: float) -> Batch:
        return Batch("slow", slow.kind, now, 0.01, (agent("a"),))

    slow.poll = at_once  # type: ignore[method-assign]
    state = (await cycle.run_once(1060.0)).sources[0]
    assert (state.up, state.stale, state.errors_total, state.last_success) == (True, False, 1, 1060.0)
    await cycle.close()


async def test_data_go_when_they_are_too_old_also_while_a_poll_runs_and_that_is_told() -> None:
    slow = Slow("slow")
    cycle = hurried(slow, stale_after=100.0)
    await cycle.run_once(1000.0)
    await slow.ends(agent("a"))
    assert list((await cycle.run_once(1060.0)).agents) == ["a"]
    gone = await cycle.run_once(1120.0)
    assert gone.agents == {}
    (state,) = gone.sources
    assert (state.up, state.stale, state.errors_total) == (False, False, 0)
    assert [found.kind for found in findings(gone)] == ["source_failing"]
    assert "its poll takes longer than its data are kept" in findings(gone)[0].message
    await slow.ends(agent("a"))
    assert (await cycle.run_once(1180.0)).sources[0].up
    await cycle.close()


async def test_a_poll_that_lets_nobody_end_it_is_told_and_costs_the_others_nothing() -> None:
    stubborn = Scripted("stubborn", [agent("a")], mood="stubborn", timeout=0.01)
    cycle = Steady([stubborn, Scripted("good", [agent("b")])], 60.0, 3000.0)
    for number in range(3):
        snapshot = await cycle.run_once(1000.0 + number)
        assert "does not end" in str(snapshot.sources[0].error)
        assert snapshot.sources[0].errors_total == number + 1
        assert snapshot.sources[1].last_success == 1000.0 + number
    assert stubborn.polls == 1
    stubborn.released.set()
    await cycle.close()


async def test_sources_that_are_replaced_while_their_polls_run_do_not_hold_up_the_next_cycle() -> None:
    """The old ones neither end nor close; the new one of the same name is polled at once."""

    class Clinging(Scripted):
        async def close(self) -> None:
            self.closed += 1
            await self.released.wait()

    old = Clinging("slow", [agent("a", 1)], mood="stubborn", timeout=HUNDRED_YEARS)
    cycle = hurried(old)
    await cycle.run_once(1000.0)
    new = Scripted("slow", [agent("a", 2)])
    cycle.replace_sources([new])
    await until(lambda: old.closed == 1)
    snapshot = await cycle.run_once(1060.0)
    assert len(snapshot.agents["a"].sites) == 2
    assert snapshot.sources[0].up
    old.released.set()
    await cycle.close()
    assert (old.closed, new.closed) == (1, 1)


async def test_a_collector_publishes_cycle_after_cycle_while_a_source_hangs(tmp_path: Path) -> None:
    """With the real pace: interval and timeout are as far apart as in the fault that was reported."""
    seen: list[Snapshot] = []

    def render(snapshot: Snapshot, _: Mapping[str, Document]) -> list[Document]:
        seen.append(snapshot)
        return []

    store = Store(f"sqlite:///{tmp_path / 'rcmon.sqlite'}")
    await store.migrate()
    sources = [Scripted("hangs", mood="hang", timeout=3600.0), Scripted("good", [agent("b")])]
    cycle = Cycle(sources, 0.1, 3600.0)
    collector = Collector(cycle, Publisher(store, ages=Ages(3600.0, 3600.0), holder="one"), render)
    stop = asyncio.Event()
    running = asyncio.ensure_future(collector.run(stop))
    await until(lambda: len(seen) >= 5, 60.0)
    stop.set()
    await asyncio.wait_for(running, 300)
    await store.close()
    assert [one.sources[1].last_success for one in seen] == [one.started for one in seen]
    assert {one.sources[0].polling_since for one in seen} == {seen[0].started}
    assert sources[0].polls == 1


async def test_polls_that_keep_threads_busy_leave_some_for_the_cycle() -> None:
    """A name that cannot be looked up blocks a thread, which nobody can end."""
    go_on = threading.Event()

    class Blocking(Scripted):
        async def poll(self, now: float) -> Batch:
            await asyncio.to_thread(go_on.wait, 600)
            return await super().poll(now)

    make_room()
    sources = [*(Blocking(f"s{number}") for number in range(40)), Scripted("good", [agent("b")])]
    cycle = hurried(*sources)
    try:
        for at in (1000.0, 1060.0):
            async with asyncio.timeout(300):
                snapshot = await cycle.run_once(at)
            assert snapshot.sources[-1].last_success == at
            assert not snapshot.sources[0].up
    finally:
        go_on.set()
        await cycle.close()


@pytest.mark.parametrize("budget", [0.05, 0.95])
async def test_a_cycle_whose_polls_all_end_does_not_wait_for_its_time(budget: float) -> None:
    cycle = Steady([Scripted("good", [agent("b")])], HUNDRED_YEARS, HUNDRED_YEARS, budget=budget)
    async with asyncio.timeout(300):
        assert (await cycle.run_once(1000.0)).sources[0].up
    await cycle.close()

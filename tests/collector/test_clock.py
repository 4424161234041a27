"""The wall's clock is set while the collector runs: ages stay true, nothing is lost, history is in order."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

from rcmon.collector import clock
from rcmon.collector.changes import changes
from rcmon.collector.clock import TOLERANCE, Moment, set_by
from rcmon.model import HistoryRow, Snapshot
from rcmon.store.horizons import read_horizons
from rcmon.store.journal import JournalSpan, count_journal
from rcmon.store.pruning import Ages
from tests.collector.steady import Steady
from tests.collector.test_collector import Lab
from tests.collector.test_late import Slow, hurried
from tests.scripted import Scripted
from tests.store.made import agent, agent_site, snapshot
from tests.store.using import past

DAY = 86400.0
JUMPS = [DAY, -DAY, 4000 * DAY, 5 * TOLERANCE, -5 * TOLERANCE]


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_is_set_is_told_from_one_that_runs(jump: float) -> None:
    assert set_by(Moment(1000.0, 5.0), Moment(1060.0 + jump, 65.0)) == jump
    assert set_by(Moment(1000.0, 5.0), Moment(1060.5, 65.0)) == 0.0  # slewed, not set
    assert set_by(Moment(1000.0, 5.0), Moment(1000.0 + DAY, 5.0 + DAY)) == 0.0  # a long cycle


def test_both_clocks_are_read_again_by_who_had_to_wait_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = iter([1000.0, 1009.0, 1010.0, 1010.01])
    running = iter([9.0, 10.0])
    monkeypatch.setattr(clock.time, "time", lambda: next(wall))
    monkeypatch.setattr(clock.time, "monotonic", lambda: next(running))
    assert clock.read() == Moment(1010.0, 10.0)


async def test_a_store_that_keeps_a_step_waiting_is_no_clock_that_is_set(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its lease or its newest snapshot may take seconds, at every step another time."""
    running = 5.0
    resume = lab.publisher.resume

    async def waiting(now: float) -> Snapshot | None:
        nonlocal running
        running += 7.0 * lab.source.polls
        return await resume(now)

    monkeypatch.setattr(lab.publisher, "resume", waiting)
    monkeypatch.setattr(lab.cycle, "moment", lambda now: Moment(now, running))
    for _ in range(4):
        running += 60.0
        assert await lab.collector.step(1_000_000.0 + running) is not None
    assert lab.source.polls == 4
    assert "the clock was set" not in caplog.text


def times(cycle: Steady, jumps: list[float]) -> Iterator[float]:
    """Give the wall's time of cycle after cycle, a minute apart, set by so much before each."""
    running = 1_000_000.0
    for jump in jumps:
        running += 60.0
        cycle.ahead += jump
        yield running + cycle.ahead


@pytest.mark.parametrize("jump", JUMPS)
async def test_the_age_of_old_data_stays_true_whatever_the_clock_does(jump: float) -> None:
    """So data neither go too early nor stay for ever, and what is told is right by the new clock."""
    source = Scripted("one", [agent("a")])
    cycle = Steady([source], 60.0, 200.0)
    ages = []
    for at in times(cycle, [0, jump, 0, -jump, jump, 0]):
        seen = await cycle.run_once(at)
        source.mood = "fail"
        last = seen.sources[0].last_success
        assert last is not None
        ages.append(round(at - last, 3))
        assert bool(seen.agents) is (ages[-1] <= 200)
    assert ages == [0, 60, 120, 180, 240, 300]
    await cycle.close()


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_poll_that_runs_while_the_clock_is_set_is_told_by_the_new_clock(jump: float) -> None:
    slow = Slow("slow")
    cycle = hurried(slow)
    at = times(cycle, [0, jump, 0])
    first = next(at)
    await cycle.run_once(first)
    second = next(at)
    running = (await cycle.run_once(second)).sources[0]
    assert running.polling_since == pytest.approx(second - 60)
    await slow.ends(agent("a", polled_at=first))
    third = next(at)
    seen = await cycle.run_once(third)
    assert seen.sources[0].last_success == pytest.approx(third - 120)
    assert seen.agents["a"].polled_at == pytest.approx(third - 120)
    await cycle.close()


def states(rows: list[HistoryRow]) -> list[tuple[float, str | None]]:
    return [(row.time, row.state) for row in rows]


def one(at: float, state: str | None) -> Snapshot:
    return snapshot(at, [agent("a", [agent_site("T2_X", state)] if state else [])])


def test_a_clock_that_is_set_back_writes_everything_anew() -> None:
    assert states(changes(one(1000.0, "Normal"), one(400.0, "Normal"))) == [(400.0, "Normal")]
    assert states(changes(one(1000.0, "Normal"), one(1000.0, "Normal"))) == [(1000.0, "Normal")]
    assert states(changes(one(1000.0, "Normal"), one(400.0, None))) == [(400.0, None)]
    assert states(changes(one(1000.0, "Normal"), one(1060.0, "Normal"))) == []


class Set:
    """A lab whose clock is set."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    async def steps(self, *told: tuple[float, str]) -> list[float]:
        """Run a cycle for each jump of the clock with the state that the site has then."""
        at = list(times(self.lab.cycle, [jump for jump, _ in told]))
        self.lab.cycle.ahead = 0.0
        for (jump, state), now in zip(told, at, strict=True):
            self.lab.cycle.ahead += jump
            self.lab.source.script = [agent("a", [agent_site("T2_X", state)])]
            assert await self.lab.collector.step(now) is not None
            assert self.lab.publisher.trouble is None
        return at


@pytest.fixture
def lab(tmp_path: Path, io_loop: IOLoop) -> Iterator[Lab]:
    made = Lab(f"sqlite:///{tmp_path / 'rcmon.sqlite'}", retention=7 * DAY)
    io_loop.run_sync(made.store.migrate)
    yield made
    io_loop.run_sync(made.store.close)


async def test_history_says_what_is_after_the_clock_went_forward_and_back(lab: Lab) -> None:
    """The site changed while the clock was a day ahead, and not since."""
    at = await Set(lab).steps((0, "Normal"), (DAY, "Down"), (-DAY, "Down"), (0, "Down"))
    assert states(await past(lab.store, "a", "T2_X", 0)) == [(at[0], "Normal"), (at[2], "Down")]


async def test_history_is_in_order_after_the_clock_went_back(lab: Lab) -> None:
    at = await Set(lab).steps((0, "Normal"), (-DAY, "Down"), (0, "Normal"))
    assert states(await past(lab.store, "a", "T2_X", 0)) == [(at[1], "Down"), (at[2], "Normal")]


async def test_no_history_is_pruned_by_a_clock_that_was_just_set(lab: Lab) -> None:
    """What goes does not come back: an hour of a steady clock first, though it is time to prune."""
    hour = [(0.0, "Normal"), *[(0.0, "Down")] * 59]
    at = await Set(lab).steps(*hour, (4000 * DAY, "Down"), (0, "Down"), (-4000 * DAY, "Down"))
    kept = states(await past(lab.store, "a", "T2_X", 0))
    assert kept == [(at[0], "Normal"), (at[1], "Down"), (at[-1], "Down")]


async def test_history_is_pruned_again_once_the_clock_has_been_steady_for_an_hour(lab: Lab) -> None:
    at = await Set(lab).steps((0, "Normal"), (0, "Down"), (8 * DAY, "Down"), *[(0.0, "Down")] * 61)
    assert states(await past(lab.store, "a", "T2_X", 0)) == [(at[1], "Down")]


async def test_a_start_with_a_clock_that_is_far_from_the_stores_prunes_nothing_at_first(
    lab: Lab, tmp_path: Path
) -> None:
    await Set(lab).steps((0, "Normal"), (0, "Down"))
    again = Lab(f"sqlite:///{tmp_path / 'rcmon.sqlite'}", retention=7 * DAY)
    again.source.script = [agent("a", [agent_site("T2_X", "Down")])]
    again.cycle.at = 1_000_000.0 + 4000 * DAY
    assert await again.collector.step(again.cycle.at) is not None
    assert len(await past(lab.store, "a", "T2_X", 0)) == 2
    await again.store.close()


async def test_no_age_is_counted_by_a_start_whose_clock_is_days_from_the_stores(
    lab: Lab, tmp_path: Path
) -> None:
    """Fewer days than history is kept: the journal, whose age is another, is not pruned either."""
    await Set(lab).steps((0, "Normal"), (0, "Down"))
    async with lab.store.asking() as connection:
        before = await count_journal(connection, JournalSpan(1))
        horizons = await connection.run_sync(read_horizons)
    again = Lab(f"sqlite:///{tmp_path / 'rcmon.sqlite'}", retention=7 * DAY)
    again.publisher._ages = Ages(7 * DAY, 7 * DAY, journal=DAY)
    again.cycle.at = 1_000_000.0 + 2 * DAY
    assert await again.collector.step(again.cycle.at) is not None
    async with lab.store.asking() as connection:
        assert await count_journal(connection, JournalSpan(1)) >= before > 1
        assert await connection.run_sync(read_horizons) == horizons
    await again.store.close()


async def test_the_newest_in_the_store_is_gone_on_from_though_its_clock_was_behind(
    lab: Lab, tmp_path: Path
) -> None:
    """Another replica collected meanwhile, on a machine whose clock is an hour behind."""
    await Set(lab).steps((0, "Normal"))
    other = Lab(f"sqlite:///{tmp_path / 'rcmon.sqlite'}", retention=7 * DAY)
    other.source.mood = "fail"
    assert await other.collector.step(1_000_060.0 - 3600.0) is not None
    await other.store.close()
    lab.publisher._resumed = False  # as when the lease comes back
    lab.source.mood = "fail"
    seen = await lab.collector.step(1_000_180.0)
    assert seen is not None
    assert seen.sources[0].errors_total == 2

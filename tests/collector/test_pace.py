"""When steps start, and what a step that is slow, hangs or raises does to the next."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from rcmon.collector.pace import Pace, next_start
from tests.scripted import until

Step = Callable[[], Coroutine[None, None, None]]


@pytest.mark.parametrize(
    ("now", "expected"), [(100.0, 160.0), (100.1, 160.0), (159.9, 160.0), (160.0, 220.0), (401.0, 460.0)]
)
def test_starts_lie_on_a_grid_that_late_steps_do_not_move(now: float, expected: float) -> None:
    assert next_start(100.0, 60.0, now) == expected


class Running:
    """A pace that runs, what it told, and the way to stop it."""

    def __init__(self, step: Step, interval: float = 0.02, longest: float = 60.0) -> None:
        self.told: list[str | None] = []
        self.stop = asyncio.Event()
        pace = Pace(step, interval, longest, self.told.append)
        self.task = asyncio.ensure_future(pace.run(self.stop))

    async def end(self) -> None:
        self.stop.set()
        await asyncio.wait_for(self.task, 300)


async def test_the_first_step_comes_at_once_and_the_others_follow() -> None:
    starts = []

    async def step() -> None:
        starts.append(1)

    slow = Running(step, interval=1000.0)
    await until(lambda: len(starts) == 1)
    await slow.end()
    fast = Running(step)
    await until(lambda: len(starts) >= 4)
    await fast.end()


async def test_a_start_that_comes_too_early_is_skipped_not_queued(caplog: pytest.LogCaptureFixture) -> None:
    at_once, most, go_on, starts = 0, 0, asyncio.Event(), 0

    async def step() -> None:
        nonlocal at_once, most, starts
        starts += 1
        at_once += 1
        most = max(most, at_once)
        await go_on.wait()
        at_once -= 1

    running = Running(step)
    await asyncio.sleep(0.2)  # ten starts come and go
    assert starts == 1
    assert caplog.text.count("skips a start") == 1
    go_on.set()
    await until(lambda: starts >= 2)
    await running.end()
    assert most == 1


async def test_a_step_that_raises_is_logged_once_and_the_next_one_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    starts = 0

    async def step() -> None:
        nonlocal starts
        starts += 1
        if starts < 4:
            raise ZeroDivisionError("zero")

    running = Running(step)
    await until(lambda: len(running.told) >= 4)
    await running.end()
    assert caplog.text.count("ZeroDivisionError: zero") == 1
    assert running.told[:4] == [*["ZeroDivisionError: zero"] * 3, None]


async def test_a_step_without_end_is_given_up_and_the_next_one_comes() -> None:
    cancelled = 0

    async def step() -> None:
        nonlocal cancelled
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled += 1
            raise

    running = Running(step, longest=0.01)
    await until(lambda: cancelled >= 2)
    await running.end()
    assert running.told[0] == "gave up a step that took longer than 0.01 s"


async def test_a_stop_cancels_the_step_and_waits_for_its_end() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def step() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.1)
            ended.set()

    running = Running(step)
    await begun.wait()
    await running.end()
    assert ended.is_set()

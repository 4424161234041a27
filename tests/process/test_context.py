"""What a main finds in its context, and how it ends."""

import asyncio
import logging
import os
import signal
import time

import pytest

from rcmon.process import ChildContext, Main, run_async, run_single
from rcmon.process.scoreboard import Scoreboard
from tests.process.running import exit_code_of


def make_context(grace: float = 30.0) -> ChildContext:
    return ChildContext("web-0", Scoreboard(1, 1).slot(0), grace=grace)


def test_only_the_first_ready_counts() -> None:
    told: list[str] = []
    context = ChildContext("web-0", Scoreboard(1, 0).slot(0), grace=1, on_ready=lambda: told.append("ready"))
    context.ready()
    context.ready()
    assert told == ["ready"]


def test_a_reload_that_came_before_anybody_listened_is_made_up_for() -> None:
    context, calls = make_context(), []
    context.reload()
    context.on_reload(lambda: calls.append("first"))
    assert calls == ["first"]
    context.on_reload(lambda: calls.append("second"))
    assert calls == ["first"]
    context.reload()
    assert calls == ["first", "first", "second"]


def test_a_reload_that_fails_is_logged_and_hinders_no_other(caplog: pytest.LogCaptureFixture) -> None:
    context, calls = make_context(), []

    def fail() -> None:
        raise ValueError("broken file")

    context.on_reload(fail)
    context.on_reload(lambda: calls.append("second"))
    with caplog.at_level(logging.ERROR, "rcmon.process"):
        context.reload()
    assert calls == ["second"]
    assert "broken file" in caplog.text


def test_a_drain_has_less_time_than_the_grace_time() -> None:
    assert make_context(grace=10).drain_time == pytest.approx(9)


async def wait_for_stop(context: ChildContext) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    await context.stop.wait()


async def never_end(context: ChildContext) -> None:
    await wait_for_stop(context)
    await asyncio.Event().wait()


async def fail_while_draining(context: ChildContext) -> None:
    await wait_for_stop(context)
    raise ValueError("made to fail")


async def end_unasked(context: ChildContext) -> None:
    await asyncio.sleep(0)


async def fail(context: ChildContext) -> None:
    raise ValueError("made to fail")


CODES = pytest.mark.parametrize(
    ("main", "code"),
    [(wait_for_stop, 0), (never_end, 0), (fail_while_draining, 1), (end_unasked, 1), (fail, 1)],
)


@CODES
def test_the_exit_code_of_a_child_says_whether_it_ended_as_asked(main: Main, code: int) -> None:
    assert exit_code_of(lambda: run_async(main, make_context(grace=2))) == code


@CODES
def test_the_exit_code_of_a_single_process_likewise(main: Main, code: int) -> None:
    """The other main ends well in any case: it is stopped too."""
    board = Scoreboard(1, 0)

    async def other(context: ChildContext) -> None:
        await context.stop.wait()

    assert exit_code_of(lambda: run_single({"main": main, "other": other}, board.slot(0), grace=2)) == code


def test_a_single_process_is_ready_when_all_its_mains_are() -> None:
    """The code counts the calls, and whether the second main was ready by then."""
    board, ready = Scoreboard(1, 1), []

    async def first(context: ChildContext) -> None:
        context.ready()
        context.ready()
        await context.stop.wait()

    async def second(context: ChildContext) -> None:
        await asyncio.sleep(0.01)
        ready.append("second")
        context.ready()
        await wait_for_stop(context)

    def on_ready() -> None:
        board.slot(0).cells[0] += 1 if ready == ["second"] else 100

    mains = {"first": first, "second": second}
    assert exit_code_of(lambda: run_single(mains, board.slot(0), grace=30, on_ready=on_ready)) == 0
    assert board.totals()[0] == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_child_asked_twice_still_drains(number: int) -> None:
    """A terminal's Ctrl-C reaches it beside its parent's TERM."""

    async def main(context: ChildContext) -> None:
        await wait_for_stop(context)
        os.kill(os.getpid(), number)
        await asyncio.sleep(0.01)
        context.slot.cells[0] = 1

    board = Scoreboard(1, 1)
    context = ChildContext("web-0", board.slot(0), grace=30)
    assert exit_code_of(lambda: run_async(main, context)) == 0
    assert board.totals()[0] == 1


def test_a_loop_that_was_held_up_says_for_how_long() -> None:
    slot = Scoreboard(1, 0).slot(0)
    slot.occupy(os.getpid(), time.monotonic())

    async def hold_up(context: ChildContext) -> None:
        await asyncio.sleep(0)
        time.sleep(3.0)  # noqa: ASYNC251 - that is what is looked for
        while (slot.loop_lag or 0.0) < 1.5:  # 3 s less what was left of the pause between two beats
            await asyncio.sleep(0.05)

    exit_code_of(lambda: run_async(hold_up, ChildContext("web-0", slot, grace=30.0)))
    assert slot.loop_lag is not None
    assert slot.loop_lag >= 1.5
    slot.vacate(0.0)
    assert slot.loop_lag is None

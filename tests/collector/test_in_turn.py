"""Polls that take turns: a few begin at once, and whoever hangs keeps nobody from beginning."""

import asyncio

from rcmon.collector.in_turn import InTurn, Starts
from rcmon.sources.base import poll_one
from tests.scripted import Scripted, until

LONG = 3600.0
NOW = 1.7e9


def begun(sources: list[Scripted]) -> int:
    return sum(source.polls for source in sources)


async def ended(tasks: list["asyncio.Task[object]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_few_begin_at_once_and_the_next_one_when_one_of_these_ends() -> None:
    sources = [Scripted(f"s{number}", mood="stubborn", timeout=LONG) for number in range(5)]
    starts = Starts(2, LONG)
    polls = [asyncio.create_task(poll_one(InTurn(source, starts), NOW)) for source in sources]
    await until(lambda: begun(sources) == 2)
    await asyncio.sleep(0.1)
    assert begun(sources) == 2
    sources[0].released.set()
    await until(lambda: begun(sources) == 3)
    await asyncio.sleep(0.1)
    assert begun(sources) == 3
    for source in sources:
        source.released.set()
    assert [poll.error for poll in await asyncio.gather(*polls)] == [None] * 5


async def test_who_hangs_keeps_nobody_from_beginning() -> None:
    sources = [Scripted(f"s{number}", mood="hang", timeout=LONG) for number in range(5)]
    starts = Starts(2, 0.01)
    polls = [asyncio.create_task(poll_one(InTurn(source, starts), NOW)) for source in sources]
    await until(lambda: begun(sources) == 5)
    await ended([*polls])
    # what was given back early is not given back once more at the end
    more = [Scripted(f"m{number}", mood="hang", timeout=LONG) for number in range(5)]
    starts._quick = LONG
    polls = [asyncio.create_task(poll_one(InTurn(source, starts), NOW)) for source in more]
    await until(lambda: begun(more) == 2)
    await asyncio.sleep(0.1)
    assert begun(more) == 2
    await ended([*polls])


async def test_one_that_fails_or_is_cut_off_gives_its_place_back() -> None:
    starts = Starts(1, LONG)
    failing = InTurn(Scripted("f", mood="fail"), starts)
    assert (await poll_one(failing, NOW)).error == "the database is not there"
    hanging = Scripted("h", mood="hang", timeout=LONG)
    first, waiting = (asyncio.create_task(poll_one(InTurn(hanging, starts), NOW)) for _ in range(2))
    await until(lambda: hanging.polls == 1)
    await ended([waiting])
    await ended([first])
    assert (await poll_one(InTurn(Scripted("good"), starts), NOW)).error is None


async def test_a_source_is_polled_by_one_at_a_time() -> None:
    source = Scripted("s", mood="stubborn", timeout=LONG)
    turns = InTurn(source, Starts())
    first, second = (asyncio.create_task(poll_one(turns, NOW)) for _ in range(2))
    await until(lambda: source.polls == 1)
    await asyncio.sleep(0.1)
    assert source.polls == 1
    source.released.set()
    assert [(await poll).error for poll in (first, second)] == [None, None]
    assert source.polls == 2

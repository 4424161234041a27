"""Waiting for an event, and no longer than is worth it."""

import asyncio

from rcmon.process.pause import happens

LONG = 3600.0


async def test_what_happens_is_told_at_once_and_what_does_not_when_the_time_is_over() -> None:
    event = asyncio.Event()
    assert not await happens(event, 0.01)
    asyncio.get_running_loop().call_soon(event.set)
    assert await happens(event, LONG)
    assert await happens(event, LONG)


async def test_what_happens_at_the_last_moment_is_not_lost() -> None:
    """The time is over, and whoever waits has not been told yet."""
    event = asyncio.Event()
    waiting = asyncio.create_task(happens(event, 0.0))
    await asyncio.sleep(0)
    event.set()
    assert await waiting

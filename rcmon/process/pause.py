"""Waiting for something to happen, but not longer than is worth it."""

import asyncio
import contextlib


async def happens(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event at most so long; tells whether it is set, be it at the last moment."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()

"""Cancelled while a driver waits: the connection is cut first, so that nothing waits for the other end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

LOG = logging.getLogger(__name__)

CUT_WITHIN = 0.3
"""Seconds that cutting a connection may take, and as many that what waited on it has to end then."""

Result = TypeVar("Result")


async def run_or_cut(work: Coroutine[Any, Any, Result], cut: Callable[[], Awaitable[None]]) -> Result:
    """Do the work; where this is cancelled, cut the connection and only then end the work.

    Cancelled at once, SQLAlchemy would first close the cursor and the connection in good order, which a
    database that hangs lets nobody do.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await quietly(cut())
        if not task.cancelling():
            # a loop that ends has cancelled it already: once more would break off its own clearing up
            task.cancel()
        await asyncio.wait({task}, timeout=CUT_WITHIN)
        if not task.done():
            # what it waits for then is something that was asked of the connection after its end
            task.cancel()
            await asyncio.wait({task}, timeout=CUT_WITHIN)
        if not task.done():
            LOG.warning("a database driver does not end although its connection was cut")
        elif not task.cancelled():
            task.exception()
        raise


async def quietly(work: Awaitable[None]) -> None:
    """Do, in bounded time, what lets go of a connection; how a broken one takes it is only logged."""
    try:
        async with asyncio.timeout(CUT_WITHIN):
            await work
    except Exception as error:  # noqa: BLE001 - a driver may raise anything; the poll's own error counts
        LOG.debug("a connection was not let go in peace: %s", type(error).__name__)

"""A store that is closed, or not quite: whoever waits for that may be cancelled, and nobody hangs."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from rcmon.store import Store
from rcmon.store.store import ASKERS
from tests.store.using import kinds

OpenStore = Callable[[str | URL], Store]
LANES = ("transaction", "leasing", "reading", "asking", "exchanging", "adding")


async def use(store: Store, lane: str) -> None:
    async with getattr(store, lane)() as connection:
        await connection.exec_driver_sql("SELECT 1")


async def works(store: Store) -> None:
    """Use every place of every lane at once, and close."""
    async with asyncio.timeout(60):
        for lane in LANES:
            await use(store, lane)
        async with AsyncExitStack() as places:
            for _ in range(ASKERS):
                await places.enter_async_context(store.asking())
        await store.close()
        assert await kinds(store) == ["made"]


@pytest.mark.parametrize("used", LANES)
async def test_a_close_that_is_cancelled_while_it_waits_leaves_all_lanes_usable(
    url: str | URL, open_store: OpenStore, used: str
) -> None:
    store = open_store(url)
    await store.migrate()
    async with getattr(store, used)():
        closing = asyncio.create_task(store.close())
        waiting = asyncio.create_task(store.migrate())
        await asyncio.sleep(0)
        for task in (closing, waiting):
            task.cancel()
        await asyncio.wait([closing, waiting])
        assert closing.cancelled()
        assert waiting.cancelled()
    await works(store)


async def test_who_waits_while_a_store_is_closed_gets_the_turn(url: str | URL, open_store: OpenStore) -> None:
    store = open_store(url)
    await store.migrate()
    async with store.asking(), store.reading():
        closing = asyncio.create_task(store.close())
        await asyncio.sleep(0)
        later = [asyncio.create_task(use(store, lane)) for lane in LANES for _ in range(ASKERS + 1)]
        await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await closing
        await asyncio.gather(*later)
    await works(store)


async def test_a_close_that_is_cancelled_while_a_connection_ends_leaves_all_lanes_usable(
    url: str | URL, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection ends nevertheless, and whoever closes later waits for that."""
    store = open_store(url)
    await store.migrate()
    reached, free = asyncio.Event(), asyncio.Event()
    dispose = AsyncEngine.dispose

    async def slowly(self: AsyncEngine) -> None:
        reached.set()
        await free.wait()
        await dispose(self)

    monkeypatch.setattr(AsyncEngine, "dispose", slowly)
    closing = asyncio.create_task(store.migrate())
    await reached.wait()
    monkeypatch.undo()
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    again = asyncio.create_task(store.close())
    await asyncio.sleep(0)
    assert not again.done()
    free.set()
    async with asyncio.timeout(60):
        await again
    await works(store)

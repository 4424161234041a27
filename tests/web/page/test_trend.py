"""The last day's totals as they are in the store, or as they were when it could last be read."""

from pathlib import Path

import pytest

from rcmon.errors import StoreError
from rcmon.model import GridPoint
from rcmon.store import Store
from rcmon.store.grid import add_grid
from rcmon.web.page.trend import DAY, STEP, Trend


async def test_it_is_what_the_store_holds_and_stays_where_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, running = Store(f"sqlite:///{tmp_path / 'rcmon.sqlite'}"), [0.0]
    await store.migrate()
    try:
        for time in (DAY * 1.0, DAY * 1.5):
            async with store.transaction() as connection:
                await add_grid(connection, GridPoint(time, {}, None, None, int(time), 0))
        trend = Trend(store, lambda: DAY * 2.0, lambda: running[0])
        seen = [point and point.running_jobs for point in await trend.points()]
        assert seen == [DAY] * (DAY // STEP // 2 - 1) + [DAY * 3 // 2] * (DAY // STEP // 2 + 1)

        def broken(_: object) -> None:
            raise StoreError("it is locked")

        monkeypatch.setattr(store, "ask", broken)
        running[0] = 1e6
        assert [point and point.running_jobs for point in await trend.points()] == seen
    finally:
        await store.close()

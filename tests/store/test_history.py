"""History is a step function per site and agent."""

import pytest

from rcmon.model import HistoryRow
from rcmon.store import Store
from rcmon.store.pruning import Ages, prune
from tests.store.made import row, snapshot
from tests.store.using import past, save


async def fill(store: Store, *rows: HistoryRow) -> None:
    for one in rows:
        await save(store, snapshot(one.time), [], [one])


async def test_history_begins_with_what_held_at_that_time(store: Store) -> None:
    await fill(store, row(10, 1), row(20, 2), row(30, 3), row(20, 7, site="T2_XX_B"), row(20, 8, agent="b"))
    assert await past(store, "a", "T2_XX_A", 25) == [row(20, 2), row(30, 3)]
    assert await past(store, "a", "T2_XX_A", 20) == [row(20, 2), row(30, 3)]
    assert await past(store, "a", "T2_XX_A", 5) == [row(10, 1), row(20, 2), row(30, 3)]
    assert await past(store, "a", "T2_XX_A", 99) == [row(30, 3)]
    assert await past(store, "b", "T2_XX_A", 99) == [row(20, 8, agent="b")]
    assert await past(store, "c", "T2_XX_A", 0) == []


async def test_pruning_keeps_what_held_at_that_time(store: Store) -> None:
    await fill(store, row(10, 1), row(20, 2), row(30, 3), row(12, 5, site="T2_XX_B"))
    await prune(store, Ages(0, 0), 25)
    assert await past(store, "a", "T2_XX_A", 0) == [row(20, 2), row(30, 3)]
    assert await past(store, "a", "T2_XX_B", 0) == [row(12, 5, site="T2_XX_B")]


async def test_pruning_forgets_what_left_long_ago_and_only_that(store: Store) -> None:
    await fill(store, row(10, 1), row(20, None), row(10, 1, site="T2_XX_B"), row(30, None, site="T2_XX_B"))
    await fill(store, row(10, 1, site="T2_XX_C"), row(20, None, site="T2_XX_C"), row(28, 4, site="T2_XX_C"))
    await prune(store, Ages(0, 0), 25)
    assert await past(store, "a", "T2_XX_A", 0) == []
    assert [one.time for one in await past(store, "a", "T2_XX_B", 0)] == [10, 30]
    assert [one.time for one in await past(store, "a", "T2_XX_C", 0)] == [20, 28]
    async with store.reading() as connection:
        left = await connection.exec_driver_sql("SELECT site FROM series ORDER BY site")
        assert list(left.scalars()) == ["T2_XX_B", "T2_XX_C"]


async def test_a_clock_that_was_set_back_leaves_no_row_in_the_future(store: Store) -> None:
    await fill(store, row(10, 1), row(500, 2), row(11, 3), row(11, 4))
    assert await past(store, "a", "T2_XX_A", 0) == [row(10, 1), row(11, 4)]


@pytest.mark.parametrize("series", [120])
async def test_pruning_takes_every_series(store: Store, series: int) -> None:
    for time in (10.0, 20.0):
        await save(store, snapshot(time), [], [row(time, 1, site=f"T2_XX_{n}") for n in range(series)])
    await prune(store, Ages(0, 0), 25)
    async with store.reading() as connection:
        counted = await connection.exec_driver_sql("SELECT count(*), min(time) FROM history")
        assert tuple(counted.one()) == (series, 20.0)

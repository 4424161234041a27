"""What held at one moment is read alike from rows and from packed days, however old it is."""

from functools import partial

import pytest
from sqlalchemy import Connection

from rcmon.model import GridPoint, HistoryRow, TaskPoint
from rcmon.model.journal import AGENT, SOURCE, JournalEntry
from rcmon.store import Store
from rcmon.store.grid import add_grid
from rcmon.store.journal import add_entries, prune_journal
from rcmon.store.packing import COARSE
from rcmon.store.past import find_series
from rcmon.store.pruning import Ages, prune
from rcmon.store.then import FetchedThen, KeptSince, fetch_then, read_kept, read_last, read_then
from tests.store.made import row, snapshot
from tests.store.using import save

DAY = 86400
FOREVER = Ages(1e9, 1e9)
MERGE = (TaskPoint("Merge", 1, 2, 3, None),)


def rows_of(agent: str, *times: int) -> list[HistoryRow]:
    return [
        HistoryRow(time, agent, "T2_XX_A", "Normal", 10, None, number, 0, MERGE)
        for number, time in enumerate(times)
    ]


async def fill(store: Store, *rows: HistoryRow) -> None:
    for one in sorted(rows, key=lambda one: one.time):
        await save(store, snapshot(one.time), [], [one])


async def held(store: Store, time: float, *, tasks: bool = True) -> list[HistoryRow]:
    def fetched(connection: Connection) -> FetchedThen:
        return fetch_then(connection, find_series(connection), time, tasks=tasks)

    return await read_then(store, await store.ask(fetched))


@pytest.mark.parametrize("packed", [False, True])
async def test_each_series_is_what_it_last_became(store: Store, packed: bool) -> None:
    old = rows_of("a", 100, 1000, DAY + 5, 3 * DAY + 7, 9 * DAY)
    other = rows_of("b", 2 * DAY, 9 * DAY)
    await fill(store, *old, *other)
    if packed:
        await prune(store, FOREVER, 9 * DAY + 7200)
    for time in (99, 100, 999, 1000, DAY, DAY + 5, 2 * DAY - 1, 2 * DAY, 3 * DAY + 7, 8 * DAY, 9 * DAY, 1e9):
        expected = [
            max((one for one in rows if one.time <= time), key=lambda one: one.time, default=None)
            for rows in (old, other)
        ]
        assert await held(store, time) == [one for one in expected if one is not None], time


@pytest.mark.parametrize("packed", [False, True])
async def test_of_many_series_those_that_are_asked_for_are_told(store: Store, packed: bool) -> None:
    """Whether their numbers lie close together or far apart; others may lie between them."""
    agents = [f"agent{number:02}" for number in range(12)]
    await fill(store, *(row for agent in agents for row in rows_of(agent, 100, 9 * DAY)))
    if packed:
        await prune(store, FOREVER, 9 * DAY + 7200)
    for asked in (agents, agents[2:4], agents[::2], [agents[0], agents[11]], agents[5:6], []):
        series = [one for one in await store.ask(find_series) if one.agent in asked]
        fetched = await store.ask(partial(fetch_then, series=series, time=200))
        assert [one.agent for one in await read_then(store, fetched)] == asked


async def test_what_had_left_is_not_there(store: Store) -> None:
    await fill(store, row(10, 1), row(20, None), row(30, 3))
    assert [one.running_jobs for time in (15, 25, 35) for one in await held(store, time)] == [1, 3]


async def test_without_task_types_they_are_unknown(store: Store) -> None:
    await fill(store, *rows_of("a", 100, 9 * DAY))
    assert [one.tasks for one in await held(store, 200, tasks=False)] == [None]
    await prune(store, FOREVER, 9 * DAY + 7200)
    assert [one.tasks for one in await held(store, 200, tasks=False)] == [None]
    assert [one.tasks for one in await held(store, 200)] == [MERGE]


async def test_where_history_is_thinned_it_is_right_at_each_quarter_of_an_hour(store: Store) -> None:
    times = (100, 700, 800, 1000, 2500, 9 * DAY)
    rows = rows_of("a", *times)
    await fill(store, *rows)
    await prune(store, Ages(1e9, DAY), 9 * DAY + 7200)
    kept = await store.ask(read_kept)
    assert kept.step(COARSE) == COARSE
    assert kept.step(9 * DAY) == 0
    for time in range(COARSE, 5 * COARSE, COARSE):
        (now,) = await held(store, time)
        assert now == max((one for one in rows if one.time <= time), key=lambda one: one.time)


async def test_it_is_kept_since_the_first_point_and_no_longer_than_that_is_said(store: Store) -> None:
    async def kept() -> KeptSince:
        return await store.ask(read_kept)

    assert await kept() == KeptSince(None, 0.0)
    await fill(store, *rows_of("a", 100, 9 * DAY))
    assert (await kept()).since == 100
    async with store.transaction() as connection:
        await add_grid(connection, GridPoint(50, {}, None, None, 0, 0))
    assert (await kept()).since == 50
    await prune(store, Ages(8 * DAY, DAY), 9 * DAY + 7200)
    assert (await kept()).since == DAY + 7200


async def test_the_journal_tells_what_held_of_each_subject(store: Store) -> None:
    def entry(time: float, old: object, new: object, name: str = "a") -> JournalEntry:
        return JournalEntry(time, AGENT.name, old and {"v": old}, new and {"v": new}, name)  # type: ignore[arg-type]

    entries = [
        entry(10, None, 1),
        entry(20, 1, 2),
        entry(30, 2, None),
        entry(40, None, 3),
        entry(25, 7, 8, "b"),
    ]
    entries.append(JournalEntry(15, SOURCE.name, None, {"up": True, "stale": True}, subject="s"))

    async def last(kind: str, time: float) -> dict[str, object]:
        return await store.ask(lambda connection: read_last(connection, kind, time))

    async with store.transaction() as connection:
        await add_entries(connection, entries)
    assert await last(AGENT.name, 5) == {"a": None, "b": {"v": 7}}
    assert await last(AGENT.name, 20) == {"a": {"v": 2}, "b": {"v": 7}}
    assert await last(AGENT.name, 35) == {"a": None, "b": {"v": 8}}
    assert await last(AGENT.name, 99) == {"a": {"v": 3}, "b": {"v": 8}}
    assert await last(SOURCE.name, 99) == {"s": {"up": True, "stale": True}}
    async with store.transaction() as connection:
        await prune_journal(connection, 30)
    assert await last(AGENT.name, 24) == {"a": {"v": 2}, "b": {"v": 7}}, "later entries tell what held before"

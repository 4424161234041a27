"""Packed history is the same step function: every change while it is kept so, else at each step's time."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import Struct, structs
from sqlalchemy import select, update
from sqlalchemy.engine import URL

from rcmon.errors import StoreCorruptError
from rcmon.model import GridPoint, HistoryRow, TaskPoint
from rcmon.store import Store
from rcmon.store.chunks import NUMBERS, TASK_NUMBERS, Points, from_rows, pack, unpack
from rcmon.store.columns import squeeze
from rcmon.store.forms import PART, in_parts, open_parts
from rcmon.store.forms import parted as of_parts
from rcmon.store.grid import add_grid, read_grid
from rcmon.store.history import add_history
from rcmon.store.moment import MomentReader
from rcmon.store.past import Fetched, Wanted, fetch, find_series, place_at, unpacked
from rcmon.store.pruning import Ages, prune, upkeep
from rcmon.store.steps import StepReader, steps
from rcmon.store.tables import CHUNK
from tests.store.made import row
from tests.store.packed_before import pack_before
from tests.store.using import past

OpenStore = Callable[[str | URL], Store]
DAY = 86400
FOREVER = Ages(1e9, 1e9)
NUMBER = st.none() | st.integers(0, 50) | st.integers(-(2**63), 2**63 - 1)
TASK = st.builds(TaskPoint, st.sampled_from(["Merge", "Skim"]), st.integers(0, 9), NUMBER, NUMBER, NUMBER)
TASKS = st.none() | st.lists(TASK, max_size=2, unique_by=lambda one: one.task).map(
    lambda some: tuple(sorted(some, key=lambda one: one.task))
)
ROW = st.builds(
    HistoryRow,
    st.integers(0, 3 * DAY).map(float),
    st.just("a"),
    st.just("T2_XX_A"),
    st.sampled_from([None, "Normal", "Down"]),
    NUMBER, NUMBER, NUMBER, NUMBER, TASKS,
)  # fmt: skip
ROWS = st.lists(ROW, max_size=60, unique_by=lambda one: one.time).map(
    lambda some: sorted(some, key=lambda one: one.time)
)


async def write(store: Store, *rows: HistoryRow) -> None:
    for one in rows:
        async with store.transaction() as connection:
            await add_history(connection, [one])


async def at(store: Store, times: list[int], step: int = 0) -> list[HistoryRow | None]:
    wanted = Wanted(times[0], times[-1], step, tasks=True)
    fetched = await store.ask(lambda connection: fetch(connection, find_series(connection), wanted))
    (points,) = unpacked(fetched).values()
    places = [place_at(points, time) for time in times]
    found = [points.row(place, "a", "T2_XX_A") if place >= 0 else None for place in places]
    stepped_alike(fetched, times, found)
    return found


def stepped_alike(fetched: Fetched, times: list[int], found: list[HistoryRow | None]) -> None:
    """Hold that steps tell the same as whole points, of the site and of each task type."""
    moments = [time * 1000 for time in times]
    (sites,) = steps(fetched, moments).values()
    names = ("state", *NUMBERS)
    assert sites == [[one and getattr(one, name) for one in found] for name in names]
    for task in ("Merge", "Skim", "Never"):
        (columns,) = steps(fetched, moments, task).values()
        own = [next((of for of in (one and one.tasks) or () if of.task == task), None) for one in found]
        assert columns == [[of and getattr(of, name) for of in own] for name in TASK_NUMBERS]


def held(rows: list[HistoryRow], time: int) -> HistoryRow | None:
    return next((one for one in reversed(rows) if one.time <= time), None)


Pack = Callable[[Points], tuple[bytes, bytes]]


class Day(Struct):
    """A packed day as it is fetched."""

    body: bytes
    tasks: bytes | None
    begin: int = 0


def through(body: bytes, tasks: bytes | None, *moments: int) -> object:
    day: Any = Day(body, tasks)
    return StepReader(moments, "" if tasks is None else "Merge").read([day], [], lambda: None)


def pick(body: bytes, tasks: bytes | None, time: int) -> HistoryRow | None:
    return MomentReader(time).read(body, tasks, "a", "T2_XX_A")


parted = partial(pack, part=3)
whole = partial(pack, part=DAY)
"""As revision 0009 packed a day."""
FORMS = pytest.mark.parametrize("form", [parted, whole, pack_before])


@FORMS
@given(rows=ROWS)
def test_what_is_packed_is_what_was(form: Pack, rows: list[HistoryRow]) -> None:
    packed = form(from_rows(rows))
    points = unpack(*packed)
    assert [points.row(place, "a", "T2_XX_A") for place in range(len(rows))] == rows
    for task in ("Merge", "Never"):
        alone = {name: columns for name, columns in points.tasks.items() if name == task}
        assert unpack(*packed, task) == structs.replace(points, tasks=alone)
    for time in (0, 1000, 2 * DAY, *(int(one.time) for one in rows[::7])):
        there = held(rows, time)
        assert pick(*packed, time * 1000) == there
        alone = there and structs.replace(there, tasks=None)
        assert pick(packed[0], None, time * 1000) == alone


@FORMS
@example(some=[[row(0.0, 1), row(100.0, 2)], [row(0.0, 3), row(50.0, 4)], [row(0.0, 5), row(200.0, 6)]])
@settings(max_examples=30)
@given(some=st.lists(ROWS, min_size=1, max_size=3))
def test_one_moment_of_several_series_is_what_it_is_of_each(form: Pack, some: list[list[HistoryRow]]) -> None:
    """Whether their points are at the same times, from the first to the last, or at others."""
    alike = [[structs.replace(one, running_jobs=7) for one in rows] for rows in some]
    for time in (0, *(int(one.time) for rows in some for one in rows[-1:])):
        moment = MomentReader(time * 1000)
        for rows in (*some, *alike, *(rows[:-1] for rows in some)):
            assert moment.read(*form(from_rows(rows)), "a", "T2_XX_A") == held(rows, time)


def test_a_day_of_a_change_each_minute_is_packed_in_parts_and_one_of_quarters_of_an_hour_is_not() -> None:
    rows = [row(60.0 * time, time % 7) for time in range(1440)]
    minutes, quarters = from_rows(rows), from_rows(rows[::15])
    assert [len(in_parts(packed)) for packed in pack(minutes)] == [DAY // 60 // PART] * 2
    assert [len(in_parts(packed)) for packed in pack(quarters)] == [1, 1]
    assert unpack(*pack(minutes)) == minutes
    for place in (0, PART - 1, PART, 3 * PART + 7, 1439):
        assert pick(*pack(minutes), place * 60_000) == rows[place]


def nine(number: st.SearchStrategy[int | None]) -> st.SearchStrategy[list[int | None]]:
    return st.lists(number, min_size=9, max_size=9)


@given(st.lists(nine(NUMBER) | nine(st.integers(0, 50)) | nine(st.integers(-999, 999)), max_size=6))
def test_columns_are_read_whole_one_alone_and_at_each_place(columns: list[list[int | None]]) -> None:
    packed = squeeze(columns, 9)
    assert packed.all() == columns
    assert [packed.column(number) for number in range(len(columns))] == columns
    assert [packed.at(place) for place in range(9)] == [[own[place] for own in columns] for place in range(9)]


@FORMS
@pytest.mark.parametrize("jump", [0, 1, 127, 128, 255, 256, 70_000, 2**40])
def test_one_point_is_picked_out_of_many_whatever_their_differences(form: Pack, jump: int) -> None:
    """Of differences that are one byte, and of those that are more; up to the first and beyond the last."""
    numbers = [jump + (place * 37) % 100 + (jump if place == 50 else 0) for place in range(97)]
    rows = [
        structs.replace(row(time, number), tasks=(TaskPoint("Merge", number, None, 7, -number),))
        for time, number in enumerate(numbers)
    ]
    packed = form(from_rows(rows))
    for place in (0, 1, 15, 16, 49, 50, 51, 96):
        assert pick(*packed, place * 1000) == rows[place]
    assert pick(*packed, 1_000_000) == rows[96]


@given(ROWS, st.sampled_from([60, 900, 3600]))
def test_thinned_it_holds_the_same_at_each_step(rows: list[HistoryRow], step: int) -> None:
    thinned = from_rows(rows).thinned(step * 1000)
    assert len(thinned.times) <= 3 * DAY // step + 1
    for time in range(0, 3 * DAY + 1, step):
        place = place_at(thinned, time)
        seen = thinned.row(place, "a", "T2_XX_A") if place >= 0 else None
        assert seen == held(rows, time)


LATER_FIRST = [
    HistoryRow(
        time,
        "a",
        "T2_XX_A",
        None,
        None,
        None,
        None,
        None,
        tuple(TaskPoint(task, 0, 0, None, None) for task in tasks),
    )
    for time, tasks in ((0.0, ["Skim"]), (1.0, ["Merge", "Skim"]))
]
"""A task type that comes later stands before one that was there."""


@pytest.mark.parametrize("raw", [1e9, 0.0])
@example(rows=LATER_FIRST)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS.filter(bool))
def test_however_it_is_kept_it_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, rows: list[HistoryRow], raw: float
) -> None:
    directory: Path = tmp_path_factory.mktemp("packed")

    async def check() -> None:
        store = Store(f"sqlite:///{directory / 'rcmon.sqlite'}")
        await store.migrate()
        half = len(rows) // 2
        await write(store, *rows[:half])
        await prune(store, Ages(1e9, raw), rows[half].time + 7200)  # twice: days get more than once
        await write(store, *rows[half:])
        await prune(store, Ages(1e9, raw), 10.0 * DAY)
        quarters = list(range(0, 3 * DAY + 1, 900))
        assert await at(store, quarters, 900) == [held(rows, time) for time in quarters]
        if raw:
            times = [int(one.time) for one in rows]
            assert await at(store, times) == rows
            assert await past(store, "a", "T2_XX_A", -1) == [structs.replace(one, tasks=None) for one in rows]
        await store.close()

    asyncio.run(check())


async def rewrite(store: Store, form: Pack) -> None:
    """Pack again all that is packed, in another form."""
    async with store.transaction() as connection:
        for chunk in list(await connection.execute(select(CHUNK))):
            body, tasks = form(unpack(chunk.body, chunk.tasks))
            key = (CHUNK.c.series == chunk.series, CHUNK.c.step == chunk.step, CHUNK.c.begin == chunk.begin)
            await connection.execute(update(CHUNK).where(*key).values(body=body, tasks=tasks))


@pytest.mark.parametrize("form", [parted, pack_before])
@example(rows=[structs.replace(one, time=9.0 * place) for place, one in enumerate(LATER_FIRST * 8)])
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS.filter(bool))
def test_days_in_parts_and_those_that_an_earlier_release_packed_are_read_and_go_on(
    tmp_path_factory: pytest.TempPathFactory, form: Pack, rows: list[HistoryRow]
) -> None:
    directory: Path = tmp_path_factory.mktemp("packed")

    async def check() -> None:
        store = Store(f"sqlite:///{directory / 'rcmon.sqlite'}")
        await store.migrate()
        half = len(rows) // 2
        await write(store, *rows[:half])
        await prune(store, FOREVER, rows[half].time + 7200)
        await rewrite(store, form)
        await write(store, *rows[half:])
        times = [int(one.time) for one in rows]
        assert await at(store, times) == rows
        await prune(store, FOREVER, 10.0 * DAY)
        assert await at(store, times) == rows
        await store.close()

    asyncio.run(check())


async def counts(store: Store) -> tuple[int, int]:
    async with store.reading() as connection:
        rows = (await connection.exec_driver_sql("SELECT count(*) FROM history")).scalar_one()
        return rows, (await connection.exec_driver_sql("SELECT count(*) FROM chunk")).scalar_one()


async def test_days_are_packed_thinned_and_deleted_but_what_held_survives(store: Store) -> None:
    await write(
        store, *(row(DAY * day + 100 * hour, day * 100 + hour) for day in range(4) for hour in range(5))
    )
    await prune(store, FOREVER, 5.0 * DAY)
    assert await counts(store) == (1, 8)  # the newest row stays
    assert len(await past(store, "a", "T2_XX_A", 0)) == 20
    await prune(store, Ages(1e9, 3.0 * DAY), 5.0 * DAY)
    assert await counts(store) == (1, 6)
    assert [one.running_jobs for one in await past(store, "a", "T2_XX_A", 0)] == [0, 4, 100, 104] + [
        day * 100 + hour for day in (2, 3) for hour in range(5)
    ]
    await prune(store, Ages(2.5 * DAY, 2.5 * DAY), 5.0 * DAY)
    seen = await past(store, "a", "T2_XX_A", 2.5 * DAY)
    assert [one.running_jobs for one in seen] == [204, 300, 301, 302, 303, 304]
    await prune(store, Ages(1.0, 1.0), 50.0 * DAY)
    assert [one.running_jobs for one in await past(store, "a", "T2_XX_A", 0)] == [304]


async def test_what_left_is_a_gap_in_packed_history_too(store: Store) -> None:
    await write(store, row(0, 1), row(1000, None), row(DAY + 5, 2), row(DAY + 6, 3))
    await prune(store, Ages(1e9, 0.0), 9.0 * DAY)
    seen = await at(store, [0, 900, 1800, DAY, DAY + 900], 900)
    assert [one and one.running_jobs for one in seen] == [1, 1, None, None, 3]


async def test_a_clock_that_was_set_back_takes_packed_history_from_then_on(store: Store) -> None:
    await write(store, *(row(float(time), time) for time in range(0, 3 * DAY, 8000)))
    await prune(store, FOREVER, 9.0 * DAY)
    await write(store, row(DAY + 1000.0, 7))
    seen = [one.time for one in await past(store, "a", "T2_XX_A", 0)]
    assert seen == [*range(0, DAY + 1000, 8000), DAY + 1000]
    await prune(store, FOREVER, 9.0 * DAY)
    assert [one.time for one in await past(store, "a", "T2_XX_A", 0)] == seen


async def test_packing_that_was_cut_off_goes_on(store: Store) -> None:
    for number in range(12):
        await write(store, *(row(float(time), time, f"T2_XX_{number}") for time in (0, 1000, 2000)))
    work = upkeep(store.transaction, FOREVER, 9.0 * DAY, gives_back=True)
    await anext(work)
    await anext(work)
    await work.aclose()
    rows, chunks = await counts(store)
    assert 12 < rows < 36
    assert chunks
    await prune(store, FOREVER, 9.0 * DAY)
    assert await counts(store) == (12, 24)


async def test_the_grids_points_are_thinned_and_deleted(store: Store) -> None:
    for time in (0.0, 10.0, 899.0, 900.0, 905.0, 5000.0, 2.0 * DAY, 2.0 * DAY + 1):
        async with store.transaction() as connection:
            await add_grid(connection, GridPoint(time, {}, None, None, int(time), 0))
    for ages, left in (
        (Ages(9.0 * DAY, 3.0 * DAY), [0, 900, 905, 5000, 2 * DAY, 2 * DAY + 1]),
        (Ages(4.9 * DAY, 3.0 * DAY), [5000, 2 * DAY, 2 * DAY + 1]),
    ):
        await prune(store, ages, 5.0 * DAY)
        points = await store.ask(lambda connection: read_grid(connection, -1, 1e9, 99))
        assert [one.running_jobs for one in points] == left


def test_bytes_that_are_no_points_are_told() -> None:
    body, tasks = pack(from_rows([row(0, 1), row(1, 2), row(2, 4)]))
    for broken in (b"", b"nonsense", b"\2", b"\3" + body[1:], body[:-9], tasks):
        with pytest.raises(StoreCorruptError):
            unpack(broken)
        with pytest.raises(StoreCorruptError):
            through(broken, None, 1000)
        with pytest.raises(StoreCorruptError):
            pick(broken, None, 1000)


def test_parts_that_do_not_fit_together_are_told() -> None:
    body, tasks = parted(from_rows([row(time, time * time) for time in range(9)]))
    parts = open_parts(body)
    wrong = (
        (of_parts(parts.begins[1:], parts.parts), tasks),
        (of_parts(parts.begins, [*parts.parts[:-1], b"nonsense"]), tasks),
        (body, of_parts(parts.begins[:1], open_parts(tasks).parts[:1])),
        (body, open_parts(tasks).parts[0]),
    )
    for broken in wrong:
        with pytest.raises(StoreCorruptError):
            unpack(*broken)
        with pytest.raises(StoreCorruptError):
            through(*broken, *range(9000))
        with pytest.raises(StoreCorruptError):
            pick(*broken, 8000)

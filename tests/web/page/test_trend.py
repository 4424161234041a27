"""The last day's totals as they are in the store, or as they were when it could last be read."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec import msgpack
from sqlalchemy import insert

from rcmon.errors import StoreError
from rcmon.model import GridPoint
from rcmon.store import Store
from rcmon.store.grid import add_grid
from rcmon.store.tables import GRID
from rcmon.timestamps import iso
from rcmon.web.page.figures import figures
from rcmon.web.page.overview import totals
from rcmon.web.page.trend import DAY, STEP, Curve, Trend
from tests.web.serving import Serving

NOON = 1_800_014_400.0
"""The end of the day that is told: 2027-01-15T12:00:00Z."""
BEGIN = NOON - DAY


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
        seen = [point and point.running_jobs for point in (await trend.day()).held]
        assert seen == [DAY] * (DAY // STEP // 2 - 1) + [DAY * 3 // 2] * (DAY // STEP // 2 + 1)

        def broken(_: object) -> None:
            raise StoreError("it is locked")

        monkeypatch.setattr(store, "ask", broken)
        running[0] = 1e6
        assert [point and point.running_jobs for point in (await trend.day()).held] == seen
    finally:
        await store.close()


def at(time: float, running: int, normal: int | None = 4) -> GridPoint:
    """Make a point; `normal`: sites that are Normal, None: there are no sites."""
    return GridPoint(time, {} if normal is None else {"Normal": normal, "Drain": 1}, None, None, running, 0)


async def told(folder: Path, points: Sequence[GridPoint]) -> list[Curve]:
    """Keep points, and give the curves of the day that ends at noon."""
    store = Store(f"sqlite:///{folder / 'rcmon.sqlite'}")
    await store.migrate()
    try:
        if points:
            rows = [{"time": point.time, "body": msgpack.encode(point)} for point in points]
            async with store.transaction() as connection:
                await connection.execute(insert(GRID), rows)
        return [one.curve for one in figures(totals(()), await Trend(store, lambda: NOON).day())]
    finally:
        await store.close()


async def test_what_lies_between_the_steps_is_told(tmp_path: Path) -> None:
    points = [at(BEGIN - 60, 50), at(NOON - 800, 90), at(NOON - 500, 20), at(NOON - 100, 50)]
    running, pending, _ = await told(tmp_path, points)
    assert (running.words, running.since) == ("in the last 24 h 20 to 90", None)
    assert (pending.words, pending.since) == ("in the last 24 h 0 all the time", None)


async def test_what_was_before_the_day_and_has_changed_in_it_is_told_as_it_began(tmp_path: Path) -> None:
    running, *_ = await told(tmp_path, [at(BEGIN - 120, 99), at(BEGIN - 60, 50), at(BEGIN + 60, 40)])
    assert (running.words, running.since) == ("in the last 24 h 40 to 50", None)


async def test_of_a_day_that_is_not_wholly_known_it_says_since_when_it_is(tmp_path: Path) -> None:
    running, pending, normal = await told(tmp_path, [at(NOON - 400, 8), at(NOON - 300, 10), at(NOON - 10, 9)])
    assert (running.words, running.since) == ("8 to 10", "2027-01-15T11:53:20Z")
    assert (pending.words, pending.since) == ("0 all the time", "2027-01-15T11:53:20Z")
    assert (normal.words, normal.since) == ("4 all the time", "2027-01-15T11:53:20Z")


async def test_a_gap_within_the_day_is_told_and_not_drawn(tmp_path: Path) -> None:
    points = [at(BEGIN, 5), at(BEGIN + DAY / 4, 5, normal=None), at(BEGIN + DAY / 2, 5)]
    running, _, normal = await told(tmp_path, points)
    assert (running.words, running.path) == ("in the last 24 h 5 all the time", "M0 22H96")
    assert (normal.words, normal.path) == (
        "in the last 24 h as far as known 4 all the time",
        "M0 22H23M47 22H96",
    )


async def test_what_is_known_late_and_with_a_gap_is_told_as_both(tmp_path: Path) -> None:
    points = [
        at(BEGIN, 5, normal=None),
        at(NOON - 400, 5),
        at(NOON - 300, 5, normal=None),
        at(NOON - 200, 5, 3),
    ]
    *_, normal = await told(tmp_path, points)
    assert (normal.words, normal.since) == ("as far as known 3 to 4", "2027-01-15T11:53:20Z")


async def test_more_points_than_are_read_do_not_pass_for_the_whole_day(tmp_path: Path) -> None:
    running, *_ = await told(tmp_path, [at(BEGIN + 4 * n, n) for n in range(10_001)])
    assert running.words == "in the last 24 h as far as known 0 to 9\N{NARROW NO-BREAK SPACE}999"
    assert not running.path.endswith("H96")


async def test_nothing_known_is_told_as_that(tmp_path: Path) -> None:
    assert await told(tmp_path, []) == [Curve("", "its last day is not known")] * 3


async def test_the_page_tells_since_when(service: Serving) -> None:
    async with service.store.transaction() as connection:
        await add_grid(connection, at(service.now - 60, 7))
    told = iso(service.now - 60)
    page = (await service.ask("/")).body.decode()
    assert f'since <time datetime="{told}">{told[11:16]} UTC</time> 7 all the time</p>' in page

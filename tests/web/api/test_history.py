"""A site over time: a step function for each agent, read without delaying anybody."""

import asyncio
import contextlib
from typing import Any

import msgspec
import pytest
from msgspec import structs

from rcmon.errors import StoreError
from rcmon.model import GridPoint, HistoryRow, TaskPoint
from rcmon.store.grid import add_grid
from rcmon.web.about import BASE
from tests.store.made import row
from tests.store.using import save
from tests.web.grid import NOW, make_snapshot
from tests.web.serving import Serving

SITE = "T2_XX_A"


async def fill(service: Serving, *rows: HistoryRow) -> None:
    assert service.store
    for one in rows:
        await save(service.store, make_snapshot(), [], [one])


async def read(service: Serving, query: str = "", site: str = SITE) -> Any:
    answer = await service.ask(f"/api/sites/{site}/history{query}")
    assert answer.code == 200, answer.body
    return msgspec.json.decode(answer.body)


def running(document: Any) -> dict[str, list[object]]:
    return {one["agent"]: [point["running_jobs"] for point in one["points"]] for one in document["series"]}


async def test_it_begins_with_what_held_then_and_unknown_is_null(service: Serving) -> None:
    await fill(service, row(10, 1), row(20, 2), row(30, None), row(25, 7, agent="b"), row(15, 9, site="T2_O"))
    document = await read(service, "?from=22&to=1970-01-01T00:00:40Z")
    assert running(document) == {"a": [2, None], "b": [7]}
    assert document["series"][0]["points"] == [
        {
            "time": "1970-01-01T00:00:20Z",
            "state": "Normal",
            "running_slots": 10,
            "pending_slots": None,
            "running_jobs": 2,
            "pending_jobs": 0,
        },
        dict.fromkeys(document["series"][0]["points"][1], None) | {"time": "1970-01-01T00:00:30Z"},
    ]
    assert document["site"] == SITE
    assert (document["from"], document["to"]) == ("1970-01-01T00:00:22Z", "1970-01-01T00:00:40Z")
    assert (document["count"], document["total"], document["next"]) == (3, 3, None)
    assert running(await read(service, "?from=22&to=40&agent=b")) == {"b": [7]}
    assert running(await read(service, "?from=5&to=12")) == {"a": [1]}


async def test_without_times_it_is_the_last_day(service: Serving) -> None:
    await fill(service, row(NOW - 90_000, 1), row(NOW - 80_000, 2), row(NOW - 60, 3))
    assert running(await read(service)) == {"a": [1, 2, 3]}
    assert running(await read(service, f"?from={NOW - 70_000}")) == {"a": [2, 3]}


async def test_a_long_history_is_read_page_by_page_and_changes_of_one_time_stay_together(
    service: Serving,
) -> None:
    assert service.store
    for at in range(1, 8):
        await save(
            service.store, make_snapshot(), [], [row(at, at, agent=agent) for agent in ("a", "b", "c")]
        )
    query, seen, pages = "?from=0&to=100&limit=4", {}, 0
    while query:
        document = await read(service, query)
        assert document["total"] >= document["count"]
        for one in document["series"]:
            seen.setdefault(one["agent"], []).extend(one["points"])
        pages += 1
        rest = document["next"]
        query = rest.removeprefix(f"{BASE}/api/sites/{SITE}/history") if rest else ""
    assert pages > 2
    for points in seen.values():
        assert sorted({point["running_jobs"] for point in points}) == [1, 2, 3, 4, 5, 6, 7]
        assert [point["time"] for point in points] == sorted(point["time"] for point in points)


@pytest.mark.parametrize("task", ["", "&task=Merge"])
async def test_pages_have_what_the_whole_has_and_all_are_counted_as_they_are(
    service: Serving, task: str
) -> None:
    """Of some points only a task type is another, which is not shown."""
    for at in range(1, 13):
        merge = TaskPoint("Merge", at // 5, 0, None, None)
        tasks = (merge, TaskPoint("Skim", at, 0, None, None))
        for agent in ("a", "b"):
            await fill(service, structs.replace(row(at, at // 4, agent=agent), tasks=tasks))
    whole = await read(service, f"?from=1&to=12{task}")
    told = [(one["agent"], point) for one in whole["series"] for point in one["points"]]
    assert (whole["count"], whole["total"], len(told), whole["next"]) == (24, 24, 24, None)
    query, paged, totals = f"?from=1&to=12&limit=2{task}", [], []
    while query:
        page = await read(service, query)
        points = [(one["agent"], point) for one in page["series"] for point in one["points"]]
        assert page["count"] == len(points)
        paged += [one for one in points if one not in paged]  # each series begins with what held
        totals.append(page["total"])
        rest = page["next"]
        query = rest.removeprefix(f"{BASE}/api/sites/{SITE}/history") if rest else ""
    assert totals == sorted(totals, reverse=True)
    assert totals[0] == 24
    assert totals[-1] == page["count"]  # of the last page nothing is left
    assert sorted(paged, key=str) == sorted(told, key=str)


@pytest.mark.parametrize("task", ["", "&task=Merge"])
async def test_pages_of_all_sites_have_what_the_whole_has_and_all_are_counted(
    service: Serving, task: str
) -> None:
    assert service.store
    for at in range(1, 8):
        tasks = (TaskPoint("Merge", at // 3, 0, 1, 1), TaskPoint("Skim", at, 0, 1, 1))
        async with service.store.transaction() as connection:
            await add_grid(connection, GridPoint(at, {"Normal": 1}, 5, None, at // 4, 7, tasks))

    async def ask(query: str) -> Any:
        answer = await service.ask(f"/api/history?{query}")
        assert answer.code == 200, answer.body
        return msgspec.json.decode(answer.body)

    whole = await ask(f"from=2.5&to=6{task}")
    assert (whole["count"], whole["total"], len(whole["points"])) == (5, 5, 5)
    query, points, totals = f"from=2.5&to=6&limit=2{task}", [], []
    while query:
        page = await ask(query)
        assert page["count"] == len(page["points"])
        points += page["points"]
        totals.append(page["total"])
        query = (page["next"] or "").partition("?")[2]
    assert points == whole["points"]
    assert totals == [5, 3, 1]
    stepped = await ask("from=1&to=6&step=1")
    assert (stepped["count"], stepped["total"], len(stepped["points"])) == (6, 6, 6)
    assert (await ask("from=0&to=0.5"))["total"] == 0


@pytest.mark.parametrize("path", [f"/api/sites/{SITE}/history", "/api/history"])
@pytest.mark.parametrize("limit", [1, 1000])
async def test_a_limit_is_not_for_steps(service: Serving, path: str, limit: int) -> None:
    """All steps are in one answer: a limit that did not hold is refused, not passed over."""
    answer = await service.ask(f"{path}?from=0&to=3600&limit={limit}&step=1m")
    assert answer.code == 400
    problem = msgspec.json.decode(answer.body)
    assert (problem["parameter"], problem["value"]) == ("limit", str(limit))
    assert "'step'" in problem["detail"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("from=yesterday", "from"),
        ("from=2026-01-01T00:00:00", "from"),  # of which zone?
        ("to=", "to"),
        ("from=20&to=10", "from"),
        (f"from={NOW + 1}&to={NOW + 5}", "from"),
        ("limit=0", "limit"),
        ("limit=10001", "limit"),
        ("since=1", "since"),
        ("step=0", "step"),
        ("step=1w", "step"),
        ("from=0&to=100000&step=1", "step"),
    ],
)
async def test_what_is_not_understood_is_refused(service: Serving, query: str, parameter: str) -> None:
    answer = await service.ask(f"/api/sites/{SITE}/history?{query}")
    assert answer.code == 400
    assert msgspec.json.decode(answer.body)["parameter"] == parameter


async def test_a_point_for_each_step_is_what_held_then(service: Serving) -> None:
    await fill(service, row(890, 1), row(900, 2), row(1000, 3), row(2000, None), row(1850, 7, agent="b"))
    document = await read(service, "?from=800&to=2700&step=15m")
    assert running(document) == {"a": [2, 3, None], "b": [None, None, 7]}
    times = [point["time"] for point in document["series"][0]["points"]]
    assert times == ["1970-01-01T00:15:00Z", "1970-01-01T00:30:00Z", "1970-01-01T00:45:00Z"]
    assert document["resolution"] == 900
    assert running(await read(service, "?from=995&to=1005&step=5&agent=a")) == {"a": [2, 3, 3]}


@pytest.mark.parametrize("path", [f"/api/sites/{SITE}/history", "/api/history"])
async def test_what_is_yet_to_come_is_not_told(service: Serving, path: str) -> None:
    await fill(service, row(NOW - 900, 1))
    answer = await service.ask(f"{path}?from={NOW - 600}&to={NOW + 3600}&step=600")
    document = msgspec.json.decode(answer.body)
    assert document["to"] == "2026-01-01T12:00:00Z"
    points = document["points"] if "points" in document else document["series"][0]["points"]
    assert [point["time"] for point in points] == ["2026-01-01T11:50:00Z", "2026-01-01T12:00:00Z"]


async def test_by_task_type_it_is_jobs_and_thresholds(service: Serving) -> None:
    points = (TaskPoint("Merge", 3, 4, 5, None), TaskPoint("Production", 9, 0, None, None))
    await fill(service, structs.replace(row(10), tasks=points), row(20, 5))
    document = await read(service, "?from=10&to=30&task=Merge")
    merge = {"running_jobs": 3, "pending_jobs": 4, "max_slots": 5, "pending_slots": None}
    assert document["series"][0]["points"] == [
        {"time": "1970-01-01T00:00:10Z", **merge},
        {"time": "1970-01-01T00:00:20Z", **dict.fromkeys(merge)},  # they were not kept
    ]
    stepped = await read(service, "?from=10&to=20&step=5&task=Merge")
    assert running(stepped) == {"a": [3, 3, None]}


async def test_all_sites_together(service: Serving) -> None:
    assert service.store
    merge = (TaskPoint("Merge", 1, 2, 3, 4),)
    points = [GridPoint(time, {"Normal": time}, 5, None, time * 10, 7, merge) for time in (100, 200, 300)]
    for point in points:
        async with service.store.transaction() as connection:
            await add_grid(connection, point)

    async def ask(query: str) -> Any:
        answer = await service.ask(f"/api/history?{query}")
        assert answer.code == 200, answer.body
        return msgspec.json.decode(answer.body)

    first = {
        "time": "1970-01-01T00:03:20Z",
        "sites": {"Normal": 200},
        "running_slots": 5,
        "pending_slots": None,
        "running_jobs": 2000,
        "pending_jobs": 7,
    }
    document = await ask("from=250&to=400")
    assert [point["running_jobs"] for point in document["points"]] == [2000, 3000]
    assert document["points"][0] == first
    stepped = await ask("from=50&to=320&step=50")
    seen = [point["running_jobs"] for point in stepped["points"]]
    assert seen == [None, 1000, 1000, 2000, 2000, 3000]
    paged = await ask("from=0&to=400&limit=2")
    assert len(paged["points"]) == 2
    rest = await ask(paged["next"].partition("?")[2])
    assert [point["running_jobs"] for point in rest["points"]] == [3000]
    numbers = {"running_jobs": 1, "pending_jobs": 2, "max_slots": 3, "pending_slots": 4}
    assert (await ask("from=100&to=400&task=Merge"))["points"] == [
        {"time": f"1970-01-01T00:0{time}Z", **numbers} for time in ("1:40", "3:20", "5:00")
    ]


async def test_a_site_that_nobody_knows_is_404_one_without_history_is_empty(service: Serving) -> None:
    assert (await service.ask(f"/api/sites/{SITE}/history")).code == 404
    assert (await read(service, site="T1_US_FNAL"))["series"] == []
    await fill(service, row(10, 1))
    assert (await read(service, "?from=1&to=20"))["count"] == 1


async def test_a_store_that_cannot_be_read_is_503_for_the_history_alone(
    service: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise StoreError("disk I/O error")

    monkeypatch.setattr(service.store, "asking", broken)
    monkeypatch.setattr(service.store, "ask", lambda _: broken())
    for path in (f"/api/sites/{SITE}/history", f"/api/sites/{SITE}/history?step=1h", "/api/history"):
        answer = await service.ask(path)
        assert answer.code == 503, path
        assert answer.headers["Retry-After"]
    assert (await service.ask("/api/sites")).code == 200


async def test_a_question_that_takes_long_delays_neither_the_board_nor_a_save(service: Serving) -> None:
    """It is under way until the test lets it end; meanwhile snapshots are stored and taken."""
    assert service.store
    forever = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    begun: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def ask() -> None:
        async with service.store.asking() as connection:  # type: ignore[union-attr]
            begun.set_result((await connection.get_raw_connection()).driver_connection)
            await connection.exec_driver_sql(forever)

    asking = asyncio.ensure_future(ask())
    raw = await begun
    for seed in (1, 2, 3):
        before = service.board.current
        await service.publish(make_snapshot(seed=seed))
        assert service.board.current is not before
        assert not asking.done()
    assert running(await read(service, site="T1_US_FNAL")) == {}
    while not asking.done():  # it may not have begun to count
        with contextlib.suppress(ValueError):  # it has just ended, and has no connection any more
            await raw.interrupt()
        await asyncio.sleep(0.01)
    with pytest.raises(StoreError, match="given up"):
        await asking

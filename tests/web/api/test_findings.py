"""Findings over the wire: what a query selects, and how operators acknowledge them."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from rcmon.store import Store
from rcmon.timestamps import iso
from rcmon.web.app import TABLE
from tests.web.grid import NOW, make_snapshot
from tests.web.serving import Serving, serving

URL = "sqlite:///{}/rcmon.sqlite"
PATH = "/api/findings"
ONE = f"{PATH}/a1/acknowledgement"


@asynccontextmanager
async def watched(tmp_path: Path, **options: Any) -> AsyncIterator[Serving]:
    store = Store(URL.format(tmp_path))
    await store.migrate()
    async with serving(table=TABLE, store=store, **options) as served:
        await served.publish(make_snapshot())
        yield served


async def told(served: Serving, query: str = "") -> Any:
    answer = await served.ask(PATH + query, "reader")
    assert answer.code == 200, answer.body
    return json.loads(answer.body)


async def put(served: Serving, said: object, path: str = ONE, who: str = "operator", **fields: str) -> Any:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return await served.ask(
        path, who, method="PUT", body=body, **{"Content_Type": "application/json", **fields}
    )


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["a1", "b2"]),
        ("?kind=null_slots", ["a1"]),
        ("?kind=null_*,state_differs", ["a1", "b2"]),
        ("?severity=warning", ["b2"]),
        ("?site=T2_US_*", ["b2"]),
        ("?agent=vocms0281", ["a1"]),
        ("?acknowledged=yes", []),
        ("?since=2026-01-01T00:00:00Z", []),
        ("?limit=1", ["a1"]),
        ("?limit=1&cursor=a1", ["b2"]),
    ],
)
async def test_a_query_selects(tmp_path: Path, query: str, ids: list[str]) -> None:
    async with watched(tmp_path) as served:
        document = await told(served, query)
        assert [one["id"] for one in document["findings"]] == ids
        assert document["count"] == len(ids)
        assert (document["next"] is not None) == (query == "?limit=1")


@pytest.mark.parametrize("query", ["?severity=bad", "?since=12:00", "?cursor=zz", "?nothing=1"])
async def test_a_query_that_is_not_understood_is_refused(tmp_path: Path, query: str) -> None:
    async with watched(tmp_path) as served:
        assert (await served.ask(PATH + query, "reader")).code == 400


async def test_an_acknowledgement_is_kept_told_and_ended(tmp_path: Path) -> None:
    async with watched(tmp_path) as served:
        answer = await put(served, {"reason": "downtime", "until": iso(NOW + 3600)})
        assert (answer.code, answer.body) == (204, b"")
        with closing(sqlite3.connect(tmp_path / "rcmon.sqlite")) as there:
            assert there.execute("SELECT finding, reason FROM acknowledgement").fetchall() == [
                ("a1", "downtime")
            ]
        first, second = (await told(served))["findings"]
        assert second["acknowledgement"] is None
        made = first["acknowledgement"]
        assert (made["reason"], made["at"], made["until"]) == ("downtime", iso(NOW), iso(NOW + 3600))
        assert "operator" in made["by"].lower()
        assert [one["id"] for one in (await told(served, "?acknowledged=no"))["findings"]] == ["b2"]
        assert (await served.ask(ONE, "operator", method="DELETE")).code == 204
        assert (await served.ask(ONE, "operator", method="DELETE")).code == 204
        assert [one["acknowledgement"] for one in (await told(served))["findings"]] == [None, None]
        journal = json.loads((await served.ask("/api/journal?kind=acknowledgement", "reader")).body)
        value = {"until": iso(NOW + 3600), "reason": "downtime"}
        assert [(one["old"], one["new"]) for one in journal["entries"]] == [(value, None), (None, value)]
        assert {(one["subject"], one["by"]) for one in journal["entries"]} == {("a1", made["by"])}


async def test_it_ends_by_itself_and_no_set_clock_makes_it_last(tmp_path: Path) -> None:
    async with watched(tmp_path) as served:

        async def holds() -> bool:
            return (await told(served))["findings"][0]["acknowledgement"] is not None

        assert (await put(served, {"reason": "downtime", "until": iso(NOW + 3600)})).code == 204
        for ahead, held in ((3599, True), (3601, False), (0, True), (-40 * 86400, False), (0, True)):
            served.now = NOW + ahead
            assert await holds() == held, ahead


async def test_every_worker_tells_soon_what_one_of_them_took(tmp_path: Path) -> None:
    """Two servers over one store, each with what it read of it before."""
    async with watched(tmp_path) as first, serving(table=TABLE, store=Store(URL.format(tmp_path))) as second:
        await second.board.check()

        async def until(reason: str | None) -> None:
            for served in (first, second):
                async with asyncio.timeout(60):
                    while _reason(await told(served)) != reason:
                        await asyncio.sleep(0.02)

        await until(None)
        assert (await put(first, {"reason": "x"})).code == 204
        await until("x")
        assert (await put(second, {"reason": "y"})).code == 204
        await until("y")
        assert (await first.ask(ONE, "operator", method="DELETE")).code == 204
        await until(None)
        journal = json.loads((await second.ask("/api/journal?kind=acknowledgement", "reader")).body)
        said = [[one[side] and one[side]["reason"] for side in ("old", "new")] for one in journal["entries"]]
        assert said == [["y", None], ["x", "y"], [None, "x"]]


def _reason(document: Any) -> str | None:
    made = document["findings"][0]["acknowledgement"]
    return None if made is None else str(made["reason"])


async def test_the_same_once_more_is_no_news(tmp_path: Path) -> None:
    async with watched(tmp_path) as served:
        for _ in range(3):
            assert (await put(served, {"reason": "x", "until": iso(NOW + 60)})).code == 204
        journal = json.loads((await served.ask("/api/journal?kind=acknowledgement", "reader")).body)
        assert len(journal["entries"]) == 1


async def test_a_store_that_somebody_else_holds_is_asked_again_later(tmp_path: Path) -> None:
    async with watched(tmp_path) as served:
        with closing(sqlite3.connect(tmp_path / "rcmon.sqlite")) as other:
            other.execute("BEGIN EXCLUSIVE")
            answer = await put(served, {"reason": "x"})
            assert answer.code == 503
            assert answer.headers["Retry-After"] == "1"
            other.execute("ROLLBACK")
        assert (await told(served))["findings"][0]["acknowledgement"] is None
        assert (await put(served, {"reason": "x"})).code == 204
        assert (await told(served))["findings"][0]["acknowledgement"]["reason"] == "x"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"{", 400),
        ({}, 422),
        ({"reason": ""}, 422),
        ({"reason": "x", "more": 1}, 422),
        ({"reason": "x", "until": "Friday"}, 422),
        ({"reason": "x", "until": NOW - 1}, 422),
        ({"reason": "x", "until": NOW + 31 * 86400}, 422),
        ({"reason": "x" * 1001}, 422),
        (b'{"reason": "' + b"x" * 20_000 + b'"}', 413),
    ],
)
async def test_what_is_no_acknowledgement_is_refused(tmp_path: Path, said: object, code: int) -> None:
    async with watched(tmp_path) as served:
        assert (await put(served, said)).code == code
        assert [one["acknowledgement"] for one in (await told(served))["findings"]] == [None, None]


async def test_who_may_acknowledge_what(tmp_path: Path) -> None:
    async with watched(tmp_path) as served:
        good = {"reason": "x"}
        assert (await put(served, good, who="reader")).code == 403
        assert (await put(served, good, f"{PATH}/nothing/acknowledgement")).code == 404
        assert (await served.ask(f"{PATH}/nothing/acknowledgement", "operator", method="DELETE")).code == 404
        assert (await put(served, good, Content_Type="text/plain")).code == 415
        assert (await put(served, good, Sec_Fetch_Site="cross-site")).code == 403
        assert [one["acknowledgement"] for one in (await told(served))["findings"]] == [None, None]


async def test_a_store_that_does_not_take_it_is_said(tmp_path: Path) -> None:
    async with watched(tmp_path) as served:
        with closing(sqlite3.connect(tmp_path / "rcmon.sqlite")) as there:
            there.execute("DROP TABLE acknowledgement")
        answer = await put(served, {"reason": "x"})
        assert answer.code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert len((await told(served))["findings"]) == 2

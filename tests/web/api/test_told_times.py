"""A time that one answer tells is the same in every other, and who asks by it finds what it was told of."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from msgspec import structs
from tornado.ioloop import IOLoop

from rcmon.model import Snapshot
from rcmon.store.pruning import Ages, prune
from tests.web.api.test_then import AGENT, SITE, keep
from tests.web.grid import NOW, make_snapshot
from tests.web.serving import Serving

DAY = 86400
BEGUN: Mapping[float, str] = {
    NOW - 3 * DAY + 0.0222: "2025-12-29T12:00:00.023Z",
    NOW - 2 * DAY + 0.0140004: "2025-12-30T12:00:00.015Z",
    NOW - 60 + 0.999_9: "2026-01-01T11:59:01Z",
}
"""When cycles began, and how it is told."""
FIRST, *LATER = BEGUN.values()


async def read(service: Serving, path: str) -> Any:
    answer = await service.ask(path)
    assert answer.code == 200, answer.body
    return msgspec.json.decode(answer.body)


@pytest.fixture(params=["rows", "packed"])
def told(service: Serving, io_loop: IOLoop, request: pytest.FixtureRequest) -> Sequence[Snapshot]:
    """Cycles as a store has them that took them as the clock told them: finer than they are told."""
    cycles = [
        structs.replace(make_snapshot(seed=seed), started=started) for seed, started in enumerate(BEGUN)
    ]

    async def fill() -> None:
        await keep(service, *cycles)
        if request.param == "packed":
            assert service.store
            await prune(service.store, Ages(100 * DAY, 100 * DAY), NOW)

    io_loop.run_sync(fill)
    return cycles


@pytest.mark.parametrize(
    "path", ["/api/sites", f"/api/sites/{SITE}", "/api/agents", f"/api/agents/{AGENT}", "/api/why"]
)
async def test_a_moment_by_a_told_time_is_the_cycle_that_tells_it(
    service: Serving, told: Sequence[Snapshot], path: str
) -> None:
    if path != f"/api/sites/{SITE}":
        assert (await read(service, path))["timestamp"] == LATER[-1]
    for time in BEGUN.values():
        document = await read(service, f"{path}?at={quote(time)}")
        assert document["timestamp"] == document["past"]["at"] == time
        assert document["past"]["complete"]
        if not path.startswith("/api/agents"):
            assert document["past"]["changed"] == time


async def test_a_moment_by_a_told_time_has_that_cycles_numbers(
    service: Serving, told: Sequence[Snapshot]
) -> None:
    for time, cycle in zip(BEGUN.values(), told, strict=True):
        document = await read(service, f"/api/sites/{SITE}?at={quote(time)}")
        assert document["running_jobs"] == cycle.sites[SITE].jobs.running


@pytest.mark.parametrize("told", ["rows"], indirect=True)
async def test_a_millisecond_before_the_first_that_is_told_nothing_is_kept(
    service: Serving, told: Sequence[Snapshot]
) -> None:
    answer = await service.ask("/api/sites?at=2025-12-29T12:00:00.022Z")
    assert answer.code == 410
    problem = msgspec.json.decode(answer.body)
    assert (problem["since"], problem["until"]) == (FIRST, LATER[-1])


async def test_all_histories_tell_the_same_times_and_are_asked_by_them(
    service: Serving, told: Sequence[Snapshot]
) -> None:
    for path in ("/api/history", f"/api/sites/{SITE}/history?agent={AGENT}"):
        mark = "&" if "?" in path else "?"

        async def points(query: str, path: str = path + mark) -> list[dict[str, Any]]:
            document = await read(service, path + query)
            found: list[dict[str, Any]] = (document.get("series") or [document])[0]["points"]
            return found

        every = await points(f"from={quote(FIRST)}")
        assert [point["time"] for point in every] == list(BEGUN.values())
        for point in every:
            time = quote(point["time"])
            assert await points(f"from={time}&to={time}") == [point]
        assert await points(f"from={quote(FIRST)}&to={quote(LATER[0])}") == every[:2]


async def test_the_journal_is_asked_by_the_times_that_it_tells(
    service: Serving, told: Sequence[Snapshot]
) -> None:
    entries = (await read(service, f"/api/journal?site={SITE}&limit=1000"))["entries"]
    assert {entry["time"] for entry in entries} == set(BEGUN.values())
    for time in BEGUN.values():
        asked = f"/api/journal?site={SITE}&limit=1000&since={quote(time)}&until={quote(time)}"
        assert (await read(service, asked))["entries"] == [one for one in entries if one["time"] == time]

"""The status document: what makes the service degraded or unhealthy, and the fields it has."""

import msgspec
import pytest
from msgspec import structs

from rcmon.access.authority.crl import CrlStatus
from rcmon.errors import StoreError
from rcmon.model import SourceState
from rcmon.web.about import PYTHON_VERSION
from rcmon.web.api.status import Status
from tests.web.grid import NOW, make_snapshot
from tests.web.service import Service

GOOD = SourceState("vocms0281", "wmagent", True, False, NOW - 12, 0.3, None)


async def status(service: Service) -> Status:
    answer = await service.ask("/api/status")
    assert answer.code == 200
    return msgspec.json.decode(answer.body, type=Status)


async def publish(service: Service, *sources: SourceState, age: float = 12, interval: float = 60) -> None:
    snapshot = make_snapshot(started=NOW - age, interval=interval)
    await service.publish(structs.replace(snapshot, sources=sources))


async def test_its_fields(service: Service) -> None:
    read = msgspec.json.decode((await service.ask("/api/status")).body)
    assert list(read) == [
        "name",
        "version",
        "status",
        "reasons",
        "uptime",
        "timestamp",
        "python_version",
        "last_cycle_start",
        "last_cycle_duration",
        "cycle_interval",
        "snapshot",
        "sources",
        "workers",
        "store",
        "crls",
    ]
    assert read["name"] == "rcmon"
    assert read["version"] == service.parts().about.version
    assert read["timestamp"] == "2026-01-01T12:00:00Z"
    assert read["last_cycle_start"] == "2026-01-01T11:59:48Z"
    assert (read["last_cycle_duration"], read["cycle_interval"]) == (0.412, 60)
    assert read["python_version"] == PYTHON_VERSION
    assert read["workers"] == 2
    assert read["store"] == {"kind": "sqlite", "up": True, "error": None}
    assert read["snapshot"]["age"] == 12
    assert read["snapshot"]["agents"] == 3
    assert read["sources"][2] == {
        "name": "vocms0282",
        "kind": "wmagent",
        "up": False,
        "last_success": "2026-01-01T11:56:48Z",
        "age": 192,
        "duration": 10,
        "error": "no answer within 10 s",
    }


async def test_healthy(service: Service) -> None:
    await publish(service, GOOD)
    service.now = service.scoreboard.started + 5
    await publish(service, GOOD, age=NOW - service.now)
    read = await status(service)
    assert (read.status, read.reasons) == ("healthy", ())
    assert read.uptime == pytest.approx(5)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            structs.replace(GOOD, up=False, error="no answer within 10 s"),
            "source vocms0281 is down: no answer within 10 s",
        ),
        (structs.replace(GOOD, stale=True), "the data of source vocms0281 is stale, 12 s old"),
        (structs.replace(GOOD, stale=True, last_success=None), "the data of source vocms0281 is stale"),
        (structs.replace(GOOD, up=False), "source vocms0281 is down: no poll yet"),
    ],
)
async def test_degraded_by_a_source(service: Service, source: SourceState, reason: str) -> None:
    await publish(service, source)
    read = await status(service)
    assert (read.status, read.reasons) == ("degraded", (reason,))


@pytest.mark.parametrize(
    ("age", "interval", "expected"),
    [
        (119, 60, "healthy"),
        (121, 60, "degraded"),
        (300, 60, "degraded"),
        (301, 60, "unhealthy"),
        (301, 200, "healthy"),
        (-30, 60, "healthy"),
    ],
)
async def test_by_the_age_of_the_snapshot(
    service: Service, age: float, interval: float, expected: str
) -> None:
    await publish(service, GOOD, age=age, interval=interval)
    read = await status(service)
    assert read.status == expected
    assert len(read.reasons) == (expected != "healthy")
    assert read.cycle_interval == interval
    assert read.snapshot is not None
    assert read.snapshot.age == max(age, 0)


async def test_unhealthy_before_the_first_snapshot(empty_service: Service) -> None:
    read = await status(empty_service)
    assert read.status == "unhealthy"
    assert read.reasons == ("there is no snapshot yet",)
    assert (read.snapshot, read.last_cycle_start, read.last_cycle_duration) == (None, None, None)
    assert read.sources == ()
    assert read.cycle_interval == 60


async def test_degraded_when_the_store_cannot_be_read(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(service, GOOD)
    assert (await status(service)).status == "healthy"

    async def broken() -> int:
        raise StoreError("disk I/O error")

    monkeypatch.setattr(service.store, "newest_id", broken)
    await service.board.check()
    read = await status(service)
    assert (read.status, read.reasons) == ("degraded", ("the store cannot be read: disk I/O error",))
    assert (read.store.up, read.store.error) == (False, "disk I/O error")
    assert (await service.ask("/api/sites")).code == 200  # the last snapshot is still there


async def test_degraded_when_a_worker_is_down(service: Service) -> None:
    await publish(service, GOOD)
    service.scoreboard.slot(1).vacate(0.0)
    read = await status(service)
    assert (read.status, read.reasons) == ("degraded", ("1 of 2 web processes are running",))
    assert read.workers == 1


async def test_revocation_lists(service: Service) -> None:
    service.trust.lists = (CrlStatus("/ca/1.r0", "/C=CH/CN=CA", NOW - 60, NOW + 60, 1, 20, None),)
    (listed,) = (await status(service)).crls
    assert (listed.issuer, listed.age, listed.next_update) == ("/C=CH/CN=CA", 60, "2026-01-01T12:01:00Z")


async def test_it_is_made_at_most_ten_times_a_second(service: Service) -> None:
    made = [service.app.settings["services"].status.ready() for _ in range(100)]
    assert len({id(ready) for ready in made}) <= 2

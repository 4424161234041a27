"""Two replicas on one PostgreSQL: what is held and answered is the same whoever collects or serves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Server, postgresql
from tests.steering.steered import SITES, SteeredService, steered

GOOD = ("enabled", 1000, 300)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgresql() as running:
        yield running


async def test_another_replica_goes_on_with_what_is_held_and_answers_alike(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.url("postgresql", "postgres").replace("@", f":{server.password}@")
    one_path, two_path = tmp_path / "one", tmp_path / "two"
    one_path.mkdir()
    two_path.mkdir()
    async with steered(one_path, database=url) as one, steered(two_path, database=url, holder="two") as two:
        await one.cycles(2)
        assert await told(one) == await told(two) == dict.fromkeys(SITES, GOOD)
        one.board.set(SITES, prod_status="drain")
        two.board.set(SITES, prod_status="drain")
        snapshot = await one.cycles()
        (held,) = (await two.read("/api/quarantine"))["quarantine"]
        assert [each.id for each in snapshot.steered.quarantines] == [held["id"]]
        await one.collector.close()  # gives the lease back
        two.now = one.now
        snapshot = await two.cycles()
        assert [each.id for each in snapshot.steered.quarantines] == [held["id"]]
        assert await told(one) == await told(two) == dict.fromkeys(SITES, GOOD)
        path = f"/api/quarantine/{held['id']}/release"
        assert (await one.write(path, {"reason": "r"})).code == 204
        one.served.now = two.now
        await two.cycles()
        one.served.now = two.now
        assert {row[0] for row in (await told(one)).values()} == {"drain"}
        states = await one.ask("sts15min")
        slots = await two.ask("scap15min")
        assert (states.code, slots.code) == (200, 200)
        assert states.headers["X-Rcmon-Control-Version"] == slots.headers["X-Rcmon-Control-Version"]


async def told(service: SteeredService) -> dict[str, tuple[str, int, int]]:
    return await service.told()

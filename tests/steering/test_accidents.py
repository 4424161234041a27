"""What has gone wrong upstream: no agent is told anything else for it, one finding says why."""

import asyncio
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec import structs

from rcmon.collector import steering as concluding
from rcmon.collector.clock import Moment
from rcmon.model import Finding, Snapshot
from rcmon.model.steering import AgentControl
from rcmon.rules.controlling import Orders
from rcmon.store.steering import read_memory
from tests.steering.steered import AGENT, RAW_HTML, SITES, Board, SteeredService, steered

GOOD = ("enabled", 1000, 300)
ALL_GOOD = dict.fromkeys(SITES, GOOD)


def all_zero(board: Board) -> None:
    board.set(SITES, core_cpu_intensive=0, core_io_intensive=0)


def all_drain(board: Board) -> None:
    board.set(SITES, prod_status="drain")


def day_old(board: Board) -> None:
    board.set(SITES[:9], prod_status="drain")
    board.age = 26 * 3600.0


def two_days_old(board: Board) -> None:
    board.set(SITES[0], prod_status="drain")
    board.age = 40 * 3600.0


def cpu_null(board: Board) -> None:
    board.set(SITES[3], core_cpu_intensive=None)


def cpu_zero(board: Board) -> None:
    board.set(SITES[3], core_cpu_intensive=0)


def one_missing(board: Board) -> None:
    del board.sites[SITES[3]]


def some_missing(board: Board) -> None:
    """Fewer than the source itself refuses, more than the guard lets pass."""
    for name in SITES[:3]:
        del board.sites[name]


def halved(board: Board) -> None:
    board.set(SITES[:5], core_cpu_intensive=400)


HELD: dict[str, tuple[Callable[[Board], None], str, int]] = {
    "zero capacity everywhere": (all_zero, "no_cores", 20),
    "every site in drain at once": (all_drain, "leaving", 20),
    "a day-old document": (day_old, "older", 9),
    "a document of two days ago": (two_days_old, "stale", 1),
    "no CPU at one site": (cpu_null, "no_cores", 1),
    "zero CPU at one site": (cpu_zero, "no_cores", 1),
    "a site that vanished": (one_missing, "missing", 1),
    "several sites that vanished": (some_missing, "missing", 3),
    "slots of many sites lost": (halved, "losing", 5),
}


def quarantined(snapshot: Snapshot) -> list[Finding]:
    return [one for one in snapshot.findings if one.kind == "upstream_quarantined"]


async def accident(service: SteeredService, happens: Callable[[Board], None]) -> Snapshot:
    """Let everything be well, and then something happen."""
    await service.cycles(2)
    assert await service.told() == ALL_GOOD
    happens(service.board)
    return await service.cycles(3)


@pytest.mark.parametrize("name", HELD)
async def test_nothing_flips_and_one_finding_names_cause_and_sites(tmp_path: Path, name: str) -> None:
    happens, cause, sites = HELD[name]
    async with steered(tmp_path) as service:
        snapshot = await accident(service, happens)
        assert await service.told() == ALL_GOOD
        (finding,) = quarantined(snapshot)
        assert (finding.part, finding.count) == (cause, sites)
        (held,) = (await service.read("/api/quarantine"))["quarantine"]
        assert (held["cause"], held["decision"]) == (cause, "held")
        assert all(one["site"] in finding.message for one in held["sites"])
        assert held["id"] in finding.message


@pytest.mark.parametrize("name", HELD)
async def test_a_release_makes_it_effective_and_is_in_the_journal(tmp_path: Path, name: str) -> None:
    happens, _, sites = HELD[name]
    async with steered(tmp_path) as service:
        await accident(service, happens)
        (held,) = (await service.read("/api/quarantine"))["quarantine"]
        path = f"/api/quarantine/{held['id']}/release"
        for _ in range(2):  # once more changes nothing
            assert (await service.write(path, {"reason": "it is so"})).code == 204
        snapshot = await service.cycles()
        assert not snapshot.steered.quarantines
        wanted = {one["site"]: tuple(one["after"].values()) for one in held["sites"]}
        assert len(wanted) == sites
        assert await service.told() == ALL_GOOD | wanted
        said = await service.read("/api/journal?kind=effective")
        assert {one["site"] for one in said["entries"] if "it is so" in one["cause"]} == set(wanted)
        decided = await service.read("/api/journal?kind=quarantine")
        assert [one["new"] and one["new"]["decision"] for one in reversed(decided["entries"])] == [
            "held",
            "released",
            None,
        ]


@pytest.mark.parametrize("name", HELD)
async def test_what_upstream_takes_back_ends_by_itself(tmp_path: Path, name: str) -> None:
    happens, _, _ = HELD[name]
    async with steered(tmp_path) as service:
        good = dict(service.board.sites)
        await accident(service, happens)
        service.board.sites, service.board.age = good, 60.0
        snapshot = await service.cycles()
        assert not snapshot.steered.quarantines
        assert await service.told() == ALL_GOOD


@pytest.mark.parametrize(
    "said",
    [RAW_HTML, b"", b'{"responses": []}', b'{"responses": [{"hits": {"hits": []}}]}', b"{"],
    ids=["a login page", "nothing", "no response", "no hits", "half an answer"],
)
async def test_no_answer_of_upstream_changes_nothing(tmp_path: Path, said: bytes) -> None:
    async with steered(tmp_path) as service:
        await service.cycles(2)
        service.board.raw = said
        snapshot = await service.cycles(3)
        assert await service.told() == ALL_GOOD
        (finding,) = [one for one in snapshot.findings if one.kind == "source_failing"]
        assert finding.source == "s"
        snapshot = await service.cycles(60)  # also once its data are dropped
        assert snapshot.upstream().sites is None
        assert await service.told() == ALL_GOOD
        service.board.raw = None
        await service.cycles()
        assert await service.told() == ALL_GOOD


async def test_half_of_the_sites_missing_is_refused_and_then_held(tmp_path: Path) -> None:
    """The source refuses it for ten polls, then believes what lasts so long; the guard does not."""
    async with steered(tmp_path) as service:
        await service.cycles(2)
        for name in SITES[::2]:
            del service.board.sites[name]
        for _ in range(12):
            snapshot = await service.cycles()
            assert await service.told() == ALL_GOOD
        (finding,) = quarantined(snapshot)
        assert (finding.part, finding.count) == ("missing", 10)


async def test_a_rejected_one_stays_held_and_is_no_finding(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        await accident(service, all_drain)
        (held,) = (await service.read("/api/quarantine"))["quarantine"]
        path = f"/api/quarantine/{held['id']}"
        assert (await service.write(f"{path}/reject", {"reason": "a slip"})).code == 204
        snapshot = await service.cycles(5)
        assert not quarantined(snapshot)
        assert await service.told() == ALL_GOOD
        (held,) = (await service.read("/api/quarantine"))["quarantine"]
        assert (held["decision"], held["by"], held["reason"]) == ("rejected", "/DC=ch/CN=operator", "a slip")
        service.board.set(SITES[0], core_cpu_intensive=10)
        assert quarantined(await service.cycles()), "something else is held anew"


async def test_a_decision_of_what_changed_since_is_refused(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        await accident(service, all_drain)
        (held,) = (await service.read("/api/quarantine"))["quarantine"]
        service.board.set(SITES, prod_status="disabled")
        await service.cycles()
        answer = await service.write(f"/api/quarantine/{held['id']}/release", {"reason": "r"})
        assert answer.code == 409
        assert (await service.write("/api/quarantine/no-such/release", {"reason": "r"})).code == 404
        assert await service.told() == ALL_GOOD


async def test_a_few_sites_may_leave_and_more_within_half_an_hour_may_not(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        await service.cycles(2)
        service.board.set(SITES[:2], prod_status="disabled")
        await service.cycles()
        gone = dict.fromkeys(SITES[:2], ("disabled", 1000, 300))
        assert await service.told() == ALL_GOOD | gone
        service.board.set(SITES[2], prod_status="disabled")
        snapshot = await service.cycles(10)
        assert [one.part for one in quarantined(snapshot)] == ["leaving"]
        assert await service.told() == ALL_GOOD | gone
        snapshot = await service.cycles(25)
        assert not quarantined(snapshot)
        assert await service.told() == ALL_GOOD | gone | {SITES[2]: ("disabled", 1000, 300)}


async def test_a_restart_forgets_neither_what_is_held_nor_what_is_good(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        await accident(service, all_drain)
        (held,) = (await service.read("/api/quarantine"))["quarantine"]
        await service.restart()
        snapshot = await service.cycles()
        assert await service.told() == ALL_GOOD
        assert [one.id for one in snapshot.steered.quarantines] == [held["id"]]
        assert (await service.write(f"/api/quarantine/{held['id']}/release", {"reason": "r"})).code == 204
        await service.restart()  # after the answer and before any cycle
        await service.cycles()
        assert {row[0] for row in (await service.told()).values()} == {"drain"}


async def test_every_site_says_where_its_values_come_from(tmp_path: Path) -> None:
    async with steered(tmp_path) as service:
        await accident(service, cpu_null)
        document = await service.read(f"/api/agents/{AGENT}/control")
        held, free = document["sites"][SITES[3]], document["sites"][SITES[4]]
        assert (held["slots_from"], free["slots_from"]) == ("guard", "upstream")
        assert json.dumps(held["reason"]).count("upstream")
        assert document["problem"] is None


@pytest.mark.parametrize("again", [False, True], ids=["still concluding", "beginning anew"])
async def test_a_step_that_was_given_up_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """Its thread goes on while the next step concludes, and ends after that."""
    async with steered(tmp_path) as service:
        first = await service.cycles()
        steersman = service.collector._steering
        assert steersman is not None
        going, go, made = threading.Event(), threading.Event(), concluding.controls

        def slow(snapshot: Snapshot, told: Orders) -> dict[str, AgentControl]:
            if snapshot.started == old.started:
                going.set()
                go.wait()
            return made(snapshot, told)

        monkeypatch.setattr(concluding, "controls", slow)
        old = structs.replace(first, started=service.now + 60)
        new = structs.replace(first, started=service.now + 120)
        with ThreadPoolExecutor(1) as pool:
            await steersman.read(Moment(old.started, 60.0), None)
            if again:
                go.set()
            else:
                given_up = pool.submit(steersman.conclude, old)
                await asyncio.to_thread(going.wait)
            await steersman.read(Moment(new.started, 120.0), None)
            steersman.conclude(new)
            go.set()
            if again:
                given_up = pool.submit(steersman.conclude, old)
            await asyncio.wrap_future(given_up)
        assert await steersman.save(service.store.adding) is None
        async with service.store.reading() as connection:
            memory = await read_memory(connection)
        assert memory is not None
        assert memory.standing.concluded == new.started

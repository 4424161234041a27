"""The status document: what makes the service degraded or unhealthy, and the fields it has."""

import inspect
import re
import time

import msgspec
import pytest
from msgspec import structs

from rcmon.access.authority.crl import CrlStatus
from rcmon.errors import StoreError
from rcmon.model import Agent, Component, SourceState, Worker
from rcmon.process.trouble import TROUBLES, Ending
from rcmon.timestamps import iso
from rcmon.web.about import PYTHON_VERSION
from rcmon.web.api import diagnosis
from rcmon.web.api.reasons import KINDS, because
from rcmon.web.api.status_shapes import OverridesStatus, Status
from tests.web.grid import NOW, OVERRIDDEN, make_snapshot
from tests.web.serving import Serving

GOOD = SourceState("vocms0281", "wmagent", True, False, NOW - 12, 0.3, None)


async def status(service: Serving) -> Status:
    answer = await service.ask("/api/status")
    assert answer.code == 200
    return msgspec.json.decode(answer.body, type=Status)


async def publish(service: Serving, *sources: SourceState, age: float = 12, interval: float = 60) -> None:
    snapshot = make_snapshot(started=NOW - age, interval=interval)
    await service.publish(structs.replace(snapshot, sources=sources))


async def test_its_fields(service: Serving) -> None:
    read = msgspec.json.decode((await service.ask("/api/status")).body)
    assert list(read) == [
        "name",
        "version",
        "status",
        "reasons",
        "causes",
        "started",
        "uptime",
        "now",
        "timestamp",
        "python_version",
        "last_cycle_start",
        "last_cycle_duration",
        "cycle_interval",
        "snapshot",
        "sources",
        "workers",
        "processes",
        "store",
        "crls",
        "overrides",
        "control",
        "streams",
        "limits",
        "replica",
    ]
    assert read["control"]["mode"] == "observe"
    assert set(read["control"]["agents"].values()) == {"observe"}
    assert read["name"] == "rcmon"
    assert read["version"] == service.about.version
    assert read["now"] == "2026-01-01T12:00:00Z"
    assert read["timestamp"] == "2026-01-01T11:59:48Z"
    assert read["last_cycle_start"] == "2026-01-01T11:59:48Z"
    assert (read["last_cycle_duration"], read["cycle_interval"]) == (0.412, 60)
    assert read["python_version"] == PYTHON_VERSION
    assert read["workers"] == 2
    assert {**read["store"], "notes": None} == {"kind": "sqlite", "up": True, "error": None, "notes": None}
    assert [note["kind"] for note in read["store"]["notes"]] == ["made"]
    assert read["causes"][0] == {
        "name": "source_down",
        "level": "degraded",
        "what": "vocms0282",
        "reason": "source vocms0282 is down: no answer within 10 s",
        "since": "2026-01-01T11:56:48Z",
    }
    assert read["reasons"] == [cause["reason"] for cause in read["causes"]]
    process = read["processes"][0]
    assert (process["name"], process["up"], process["restarts"], process["last_ending"]) == (
        "web-0",
        True,
        0,
        None,
    )
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
        "polling_since": None,
    }


def names(read: Status) -> list[tuple[str, str | None]]:
    return [(cause.name, cause.what) for cause in read.causes]


async def test_a_poll_that_runs_past_its_cycle_is_named_with_both_ages(service: Serving) -> None:
    hangs = structs.replace(GOOD, stale=True, last_success=NOW - 30, polling_since=NOW - 20)
    await publish(service, hangs)
    read = await status(service)
    assert read.status == "degraded"
    (cause,) = read.causes
    assert (cause.name, cause.what) == ("data_stale", hangs.name)
    assert cause.reason.endswith("is stale, 30 s old; its poll has run for 20 s")
    assert read.sources[0].polling_since == iso(NOW - 20)


async def test_healthy(service: Serving) -> None:
    await publish(service, GOOD)
    read = await status(service)
    assert (read.status, read.reasons, read.causes) == ("healthy", (), ())
    assert 0 <= read.uptime < 600


@pytest.mark.parametrize(
    ("source", "reason", "name"),
    [
        (
            structs.replace(GOOD, up=False, stale=True, error="no answer within 10 s"),
            "source vocms0281 is down: no answer within 10 s",
            "source_down",
        ),
        (structs.replace(GOOD, stale=True), "the data of source vocms0281 is stale, 12 s old", "data_stale"),
        (
            structs.replace(GOOD, stale=True, last_success=None),
            "the data of source vocms0281 is stale",
            "data_stale",
        ),
        (
            structs.replace(GOOD, up=False, stale=True),
            "source vocms0281 is down: no poll yet",
            "source_down",
        ),
    ],
)
async def test_degraded_by_one_source_of_several(
    service: Serving, source: SourceState, reason: str, name: str
) -> None:
    await publish(service, source, structs.replace(GOOD, name="other"))
    read = await status(service)
    assert read.status == "degraded"
    assert reason in read.reasons
    assert (name, "vocms0281") in names(read)


async def test_unhealthy_when_every_source_is_down(service: Serving) -> None:
    down = structs.replace(GOOD, up=False, stale=True, error="refused")
    await publish(service, down)
    read = await status(service)
    assert (read.status, read.reasons[0]) == ("unhealthy", "the only source is down")
    await publish(service, down, structs.replace(down, name="other"))
    assert (await status(service)).reasons[0] == "all 2 sources are down"
    await publish(service, down, structs.replace(GOOD, name="other"))
    assert (await status(service)).status == "degraded"


async def test_unhealthy_when_a_source_has_nothing_left_to_show(service: Serving) -> None:
    await publish(service, structs.replace(GOOD, up=False), structs.replace(GOOD, name="other"))
    read = await status(service)
    assert read.status == "unhealthy"
    assert names(read) == [("source_lost", "vocms0281"), ("source_down", "vocms0281")]
    never = structs.replace(GOOD, up=False, last_success=None)
    await publish(service, never, structs.replace(GOOD, name="other"))
    read = await status(service)
    assert (read.status, names(read)) == ("degraded", [("source_down", "vocms0281")])


def with_workers(*problems: str | None) -> Agent:
    """Make an agent with a component of one worker for each problem."""
    agent = make_snapshot().agents["vocms0281"]
    made = [
        Component(f"C{number}", 1, 7200, (Worker("w", "Running", NOW - 60, 60, 1, problem=problem),))
        for number, problem in enumerate(problems)
    ]
    return structs.replace(agent, components=tuple(made))


@pytest.mark.parametrize(
    ("problems", "expected", "first"),
    [
        ((None, None), [], ""),
        (
            (None, "in state Error", "has never reported"),
            [("component_down", "vocms0281/C1"), ("component_down", "vocms0281/C2")],
            "component C1 of agent vocms0281 is down: worker w: in state Error",
        ),
        (
            ("silent",) * 27,
            [("agent_down", "vocms0281")],
            "agent vocms0281 is down: none of its 27 components works (C0, worker w: silent)",
        ),
    ],
)
async def test_unhealthy_when_an_agent_or_a_component_is_down(
    service: Serving, problems: tuple[str | None, ...], expected: list[tuple[str, str]], first: str
) -> None:
    agent = with_workers(*problems)
    snapshot = structs.replace(make_snapshot(), agents={agent.name: agent}, sources=(GOOD,))
    await service.publish(snapshot)
    read = await status(service)
    assert read.status == ("unhealthy" if expected else "healthy")
    assert names(read) == expected
    if expected:
        assert read.reasons[0] == first
        assert read.causes[0].since == "2026-01-01T11:59:00Z"


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
    service: Serving, age: float, interval: float, expected: str
) -> None:
    await publish(service, GOOD, age=age, interval=interval)
    read = await status(service)
    assert read.status == expected
    assert len(read.reasons) == (expected != "healthy")
    assert read.cycle_interval == interval
    assert read.snapshot is not None
    assert read.snapshot.age == max(age, 0)


async def test_unhealthy_before_the_first_snapshot(empty_service: Serving) -> None:
    read = await status(empty_service)
    assert read.status == "unhealthy"
    assert read.reasons == ("there is no snapshot yet",)
    assert (read.snapshot, read.last_cycle_start, read.last_cycle_duration) == (None, None, None)
    assert read.sources == ()
    assert read.cycle_interval == 60


async def test_degraded_when_the_store_cannot_be_read(
    service: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(service, GOOD)
    assert (await status(service)).status == "healthy"

    async def broken() -> int:
        raise StoreError("disk I/O error")

    monkeypatch.setattr(service.board._store, "newest_id", broken)
    await service.board.check()
    read = await status(service)
    assert (read.status, read.reasons) == ("degraded", ("the store cannot be read: disk I/O error",))
    assert (read.store.up, read.store.error) == (False, "disk I/O error")
    assert (await service.ask("/api/sites")).code == 200  # the last snapshot is still there


async def test_degraded_while_a_process_is_down_and_when_it_has_just_ended(service: Serving) -> None:
    await publish(service, GOOD)
    slot = service.scoreboard.slot(2)
    slot.say("collector", "store", "disk is full")
    slot.note_ending(Ending("exit", "exit code 1", NOW - 4, 12.0), failures=1)
    slot.vacate(0.0)
    read = await status(service)
    assert (read.status, names(read)) == ("degraded", [("process_down", "collector")])
    assert read.reasons == ("process collector is not running: exit code 1: disk is full",)
    assert read.workers == 2
    assert [process.up for process in read.processes] == [True, True, False]
    slot.occupy(4711, 0.0)
    slot.count_restart()
    service.now += 0.2
    await publish(service, GOOD)
    read = await status(service)
    assert names(read) == [("process_ended", "collector")]
    ending = read.processes[2].last_ending
    assert ending is not None
    assert (ending.how, ending.trouble) == ("exit code 1", "disk is full")
    service.now += 120
    await publish(service, structs.replace(GOOD, last_success=service.now), age=NOW - service.now)
    assert (await status(service)).status == "healthy"


async def test_what_processes_say_is_told_once(service: Serving) -> None:
    await publish(service, GOOD)
    for index, name in enumerate(("web-0", "web-1")):
        service.scoreboard.slot(index).say(name, "roles_file", "conf/roles.toml: no such role")
    service.scoreboard.slot(2).say("collector", "store", "disk is full")
    read = await status(service)
    assert read.status == "degraded"
    assert names(read) == [("roles_file_trouble", "web-0, web-1"), ("store_trouble", "collector")]
    assert read.reasons[1] == "store: disk is full"
    assert read.causes[0].since is not None


async def test_a_store_that_cannot_be_written_is_not_up_though_it_can_be_read(service: Serving) -> None:
    await publish(service, GOOD)
    service.scoreboard.slot(2).say("collector", "store", "disk is full")
    read = await status(service)
    assert (read.store.up, read.store.error) == (False, "disk is full")
    assert b"\nrcmon_store_up 0\n" in (await service.ask("/api/metrics")).body
    service.scoreboard.slot(2).say("collector", "store", None)
    service.now += 0.2
    await publish(service, GOOD)
    assert (await status(service)).store.up


def test_every_trouble_is_a_reason() -> None:
    assert {f"{what}_trouble" for what in TROUBLES} <= set(KINDS)
    assert list(KINDS.values()) == sorted(KINDS.values(), key=lambda kind: kind.level != "unhealthy")


def test_every_reason_that_is_listed_can_be_given_and_no_other() -> None:
    given = set(re.findall(r'because\(\s*"(\w+)"', inspect.getsource(diagnosis)))
    assert given == set(KINDS) - {f"{what}_trouble" for what in TROUBLES}
    with pytest.raises(KeyError):
        because("bad_mood", "it is Monday")


async def test_a_clock_that_differs_makes_no_young_snapshot(service: Serving) -> None:
    ahead = structs.replace(GOOD, last_success=NOW + 300, stale=True)
    await publish(service, ahead, age=-300)
    read = await status(service)
    assert (read.status, names(read)) == ("degraded", [("clock_differs", None), ("data_stale", "vocms0281")])
    assert read.reasons[1] == "the data of source vocms0281 is stale"
    assert read.snapshot is not None
    assert (read.snapshot.age, read.sources[0].age) == (None, None)
    page = (await service.ask("/")).body.decode()
    assert "<b>of no known age</b>" in page
    assert "the snapshot is 300 s later than the clock of this machine" in page
    assert "<time" in page
    assert not re.search(r"\b0 (ms|s) (ago|old)", page)


async def test_an_expired_certificate_is_unhealthy(service: Serving) -> None:
    service.trust.not_after = NOW - 1
    await publish(service, GOOD)
    assert names(await status(service)) == [("certificate_expired", None)]


async def test_revocation_lists(service: Serving) -> None:
    service.trust.lists = (CrlStatus("/ca/1.r0", "/C=CH/CN=CA", NOW - 60, NOW + 60, 1, 20, None),)
    (listed,) = (await status(service)).crls
    assert (listed.issuer, listed.age, listed.next_update) == ("/C=CH/CN=CA", 60, "2026-01-01T12:01:00Z")
    await publish(service, GOOD)
    assert (await status(service)).status == "healthy"
    service.trust.lists = (
        CrlStatus("/ca/1.r0", "/C=CH/CN=CA", NOW - 60, NOW, 1, 20, None),
        CrlStatus("/ca/2.r0", None, None, None, None, None, "not a list"),
    )
    await publish(service, GOOD)
    read = await status(service)
    assert names(read) == [("crl_overdue", "/ca/1.r0"), ("crl_refused", "/ca/2.r0")]


async def test_it_is_made_at_most_ten_times_a_second(service: Serving) -> None:
    made = [service.services.status.ready() for _ in range(100)]
    assert len({id(ready) for ready in made}) <= 2


async def test_overrides_are_counted_by_how_they_end(service: Serving) -> None:
    assert (await status(service)).overrides == OverridesStatus(0, 0, 0)
    overrides = tuple(spot.after for spot in OVERRIDDEN.spots if spot.after is not None)
    await service.publish(structs.replace(make_snapshot(NOW), overrides=overrides))
    service.now += 1
    assert (await status(service)).overrides == OverridesStatus(until=0, latched=2, toggle=0)


async def test_without_a_snapshot_overrides_are_not_counted(empty_service: Serving) -> None:
    assert (await status(empty_service)).overrides is None


async def test_a_process_that_falls_again_and_again_is_told_with_its_trouble(
    service: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(service, GOOD)
    slot = service.scoreboard.slot(1)
    slot.say("web-1", "exception", "ValueError: made to fail")
    slot.note_ending(Ending("exit", "exit code 1", NOW - 4, 0.5), failures=3)
    slot.vacate(0.0)
    assert names(await status(service)) == [("process_down", "web-1")]
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: NOW)
        slot.occupy(4711, 0.0)
    service.now += 0.2
    await publish(service, GOOD)
    read = await status(service)
    assert names(read) == [("process_falls", "web-1")]
    assert read.reasons == (
        "process web-1 ended 3 times in a row just after its start: exit code 1: ValueError: made to fail",
    )
    assert read.processes[1].failures == 3
    service.now += 130
    await publish(service, structs.replace(GOOD, last_success=service.now), age=NOW - service.now)
    assert (await status(service)).status == "healthy"


async def test_a_process_that_was_replaced_is_nothing_to_act_on(service: Serving) -> None:
    await publish(service, GOOD)
    slot = service.scoreboard.slot(1)
    slot.note_ending(Ending("recycle", "replaced for 50 open files, more than 49", NOW - 4, 9e3), 0)
    read = await status(service)
    assert read.status == "healthy"
    assert read.processes[1].last_ending is not None


async def test_a_loop_that_is_held_up_is_told(service: Serving) -> None:
    await publish(service, GOOD)
    service.scoreboard.slot(0).beat(time.monotonic(), 4.9)
    assert (await status(service)).status == "healthy"
    service.scoreboard.slot(0).beat(time.monotonic(), 7.2)
    service.now += 0.2
    await publish(service, GOOD)
    read = await status(service)
    assert names(read) == [("process_lags", "web-0")]
    assert read.processes[0].lag == 7.2

"""What agents push is in the next snapshot, with its age; whatever is wrong with it ends no cycle."""

import json
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs
from sqlalchemy import update

from rcmon.collector.merge import merge
from rcmon.collector.polling import Heard
from rcmon.collector.pushed import Pushed
from rcmon.collector.reported import named
from rcmon.documents.deflated import inflate
from rcmon.model import PUSHED, Agent, AgentReport, Batch, Snapshot, Upstream
from rcmon.render import render
from rcmon.reports import understand
from rcmon.rules.expecting import expectations
from rcmon.sources.base import Poll
from rcmon.store import Store
from rcmon.store.reports import keep_report, pack_report
from rcmon.store.tables import REPORT
from tests.collector.steady import Steady

INFO = (Path(__file__).parent.parent / "data" / "upstream" / "agent_info.json").read_bytes()
NOW = 1_767_268_800.0
SAID = {"T2_CH_CERN": {"Merge": {"NoRunningSlot": 7, "submitted": 2}}}


@asynccontextmanager
async def stored(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/s.sqlite")
    await store.migrate()
    try:
        yield store
    finally:
        await store.close()


async def push(store: Store, body: bytes, *, agent: str = "a", at: float = NOW) -> None:
    understood = understand(body, at)
    time = understood.report.time
    packed = pack_report(agent, understood.kind, body, time=time, received=at, subject="/CN=a")
    async with store.adding() as connection:
        assert await keep_report(connection, packed, NOW * 2) is None


def info(**fields: object) -> bytes:
    return json.dumps({**json.loads(INFO), **fields}).encode()


def report(**fields: Any) -> AgentReport:
    read = understand(INFO, NOW).report
    assert isinstance(read, AgentReport)
    return structs.replace(read, **fields)


def heard(*agents: Agent, source: str = "s", upstream: Upstream | None = None, at: float = NOW) -> Heard:
    batch = Batch(source, "wmagent", at, 0.1, agents, upstream)
    return Heard(source, "wmagent", (Poll(source, "wmagent", at, 0.1, batch),))


def merged(
    *polls: Heard, pushed: Upstream | None = None, at: float = NOW, before: Snapshot | None = None
) -> Snapshot:
    return merge(polls, before, at, 0.1, interval=60.0, stale_after=3600.0, pushed=pushed)


AGENT = Agent(name="a", polled_at=NOW, hostname="vocms0999.cern.ch")


async def test_what_was_pushed_is_read_with_its_times(tmp_path: Path) -> None:
    async with stored(tmp_path) as store:
        pushed = Pushed(store)
        assert await pushed.read(0) is None
        await push(store, INFO, at=NOW + 20)
        await push(store, json.dumps(SAID).encode(), at=NOW + 30)
        given = await pushed.read(0)
        assert given is not None
        assert given.reports == {"a": report(received=NOW + 20)}
        said = (given.submitted or {})["a"]
        assert (said.time, said.sites["T2_CH_CERN"]["Merge"].submitted) == (NOW + 30, 2)
        assert said.sites["T2_CH_CERN"]["Merge"].refused == {"NoRunningSlot": 7}
        # again, and from a store that was opened anew: the same
        assert await pushed.read(0) == await Pushed(store).read(0) == given
        given = await pushed.read(NOW + 25)
        assert given is not None
        assert not given.reports


def test_of_two_agents_of_one_host_the_first_has_what_it_reports() -> None:
    known = AgentReport(NOW, "production", None, "ok", None, host="vocms0999.cern.ch")
    agents = {"a": AGENT, "b": structs.replace(AGENT, name="b")}
    assert named(Upstream(reports={"vocms0999.cern.ch": known}), agents).reports == {"a": known}


async def test_a_store_that_fails_leaves_what_was_read(tmp_path: Path, caplog: Any) -> None:
    async with stored(tmp_path) as store:
        pushed = Pushed(store)
        await push(store, INFO)
        given = await pushed.read(0)
        await store.close()
        (tmp_path / "s.sqlite").rename(tmp_path / "gone")
        assert await pushed.read(0) == await pushed.read(0) == given
        told = [line for line in caplog.messages if "pushed reports cannot be read" in line]
        assert len(told) == 1


async def test_a_report_that_is_not_understood_is_left_out_alone(tmp_path: Path, caplog: Any) -> None:
    """An rcmon of another version took it."""
    async with stored(tmp_path) as store:
        await push(store, INFO, agent="b")
        packed = pack_report("a", "agent_info", b"[1]", time=NOW, received=NOW, subject="/CN=a")
        async with store.adding() as connection:
            await keep_report(connection, packed, NOW)
        pushed = Pushed(store)
        for _ in range(2):
            given = await pushed.read(0)
            assert given is not None
            assert set(given.reports or ()) == {"b"}
        assert len([line for line in caplog.messages if "agent a pushed is left out" in line]) == 1


async def test_a_report_that_is_damaged_in_the_store_is_left_out_alone(tmp_path: Path, caplog: Any) -> None:
    async with stored(tmp_path) as store:
        await push(store, INFO, agent="a")
        pushed = Pushed(store)
        await pushed.read(0)
        for at, body in enumerate((b"junk", zlib.compress(b"{}"), zlib.compress(INFO)[:-9]), 1):
            async with store.transaction() as connection:
                harmed = update(REPORT).where(REPORT.c.agent == "a")
                await connection.execute(harmed.values(body=body, received=NOW + at))
            await push(store, info(timestamp=NOW + at), agent="b", at=NOW + at)
            for reader in (pushed, Pushed(store)):
                given = await reader.read(0)
                assert given is not None
                assert {name: one.time for name, one in (given.reports or {}).items()} == {"b": NOW + at}
        assert len([line for line in caplog.messages if "agent a pushed is left out" in line]) == 6


def test_an_agent_has_what_its_database_does_not_say() -> None:
    pushed = Upstream(reports={"a": report(drain=True)})
    agent = merged(heard(AGENT), pushed=pushed).agents["a"]
    assert (agent.drain, agent.team, agent.version) == (True, "production", "2.4.5")
    said = structs.replace(AGENT, version="2.4.6")
    assert merged(heard(said), pushed=pushed).agents["a"].version == "2.4.6"


def test_a_stale_report_says_nothing_about_now_but_its_age() -> None:
    snapshot = merged(heard(AGENT, at=NOW + 1201), pushed=Upstream(reports={"a": report()}), at=NOW + 1201)
    agent = snapshot.agents["a"]
    assert (agent.drain, agent.team, agent.version) == (None, None, None)
    documents = {one.key: one for one in render(snapshot)}
    shown = msgspec.json.decode(inflate(documents["agents/a"]))
    assert (shown["team"], shown["drain"]) == (None, None)
    assert (shown["report"]["age"], shown["report"]["stale"]) == (1201.0, True)


def test_what_a_report_said_is_gone_with_it_also_where_the_source_is_stale() -> None:
    first = merged(heard(AGENT), pushed=Upstream(reports={"a": report(drain=True)}))
    assert first.agents["a"].drain is True
    failed = Heard("s", "wmagent", (Poll("s", "wmagent", NOW + 60, 0.1, error="broken"),))
    second = merged(failed, at=NOW + 60, before=first)
    assert second.agents["a"] == AGENT
    assert PUSHED not in second.given


def test_the_newer_of_pushed_and_wmstats_counts() -> None:
    pushed = Upstream(reports={"a": report(team="pushed")})
    for age, team in ((-1, "pushed"), (0, "pushed"), (1, "wmstats")):
        stats = Upstream(reports={"vocms0999": report(team="wmstats", time=NOW + age)})
        snapshot = merged(heard(AGENT), heard(source="stats", upstream=stats), pushed=pushed)
        assert snapshot.agents["a"].team == team
        assert set(snapshot.upstream().reports or ()) == {"a"}  # wmstats knows it by its host


async def test_what_cannot_be_dealt_with_is_left_out_and_told() -> None:
    class Bad(AgentReport, frozen=True):
        def is_stale(self, now: float) -> bool:
            raise ValueError(f"bad at {now}")

    cycle = Steady([], 60.0, 3600.0)
    cycle.pushed = Upstream(reports={"a": Bad(NOW, None, None, None, None)})

    def prepare(snapshot: Snapshot) -> None:
        if PUSHED in snapshot.given:
            raise ValueError("cannot be shown")

    snapshot, _ = await cycle.run(cycle.moment(NOW), prepare)
    assert snapshot.given == {}
    assert cycle.blamed == {PUSHED: "cannot be shown"}


def test_pushed_reports_do_not_tell_who_else_is_of_a_team() -> None:
    """One of ten pushes: its share is not the whole."""
    alone = merged(heard(AGENT), pushed=Upstream(reports={"a": report()}))
    assert expectations(alone)["a"].agents is None
    stats = Upstream(reports={"b": report(host="b"), "vocms0999": report()})
    listed = merged(heard(AGENT), heard(source="w", upstream=stats), pushed=Upstream(reports={"a": report()}))
    assert expectations(listed)["a"].agents == 2


def test_metrics_tell_drain_and_the_reports_time() -> None:
    snapshot = merged(heard(AGENT), pushed=Upstream(reports={"a": report(drain=True), "other": report()}))
    text = inflate(next(one for one in render(snapshot) if one.key == "metrics.text")).decode()
    assert 'rcmon_agent_drain{agent="a"} 1\n' in text
    for name in ("a", "other"):
        assert f'rcmon_agent_report_timestamp_seconds{{agent="{name}"}} 1767268800' in text

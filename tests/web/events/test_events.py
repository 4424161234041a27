"""What streams tell: over real sockets and TLS, from a real store."""

from typing import Any

import msgspec
import pytest
from msgspec import structs

from rcmon.model import Finding, Snapshot
from rcmon.model.journal import JournalEntry
from rcmon.store.journal import add_entries
from rcmon.web.events import hub
from tests.web.events.listening import Listener, listen
from tests.web.grid import NOW, make_snapshot
from tests.web.serving import Serving

SITE = "T1_US_FNAL"
JSON = {"Content_Type": "application/json"}


def changed(snapshot: Snapshot, started: float, *, slots: int = 12345, **more: Any) -> Snapshot:
    """Make a later snapshot in which one site has other slots."""
    site = structs.replace(snapshot.sites[SITE], running_slots=slots)
    return structs.replace(snapshot, started=started, sites={**snapshot.sites, SITE: site}, **more)


async def journal(service: Serving, *entries: JournalEntry) -> None:
    assert service.store
    async with service.store.transaction() as connection:
        await add_entries(connection, entries)


def state(time: float, new: str, site: str = "T2_A", agent: str = "a") -> JournalEntry:
    return JournalEntry(time, "state", {"state": "Normal"}, {"state": new}, agent, site, cause="polled")


async def told(stream: Listener, name: str) -> Any:
    """Give the data of the next event, which has that name."""
    heard = await stream.next()
    assert heard.name == name, heard
    return heard.data


async def test_a_snapshot_is_told_as_what_it_changed(service: Serving) -> None:
    stream = await listen(service)
    snapshot = make_snapshot()
    await service.publish(changed(snapshot, NOW + 60))
    data = await told(stream, "snapshot")
    whole = msgspec.json.decode((await service.ask("/api/sites")).body)
    assert data["sites"] == [site for site in whole["sites"] if site["name"] == SITE]
    assert data["sites"][0]["running_slots"] == 12345
    assert (data["gone"], data["agents_gone"]) == ([], [])
    assert data["timestamp"] == whole["timestamp"] == "2026-01-01T12:01:00Z"
    assert data["since"] == data["cycle"] - 1
    assert data["totals"]["sites"] == len(whole["sites"])
    for name in ("running_slots", "pending_slots", "running_jobs", "pending_jobs"):
        known = [site[name] for site in whole["sites"] if site[name] is not None]
        assert data["totals"][name] == (sum(known) if known else None)


async def test_that_a_site_was_polled_once_more_is_no_change_and_the_agent_tells_it(service: Serving) -> None:
    stream = await listen(service)
    snapshot = make_snapshot()
    agents = {
        name: structs.replace(agent, polled_at=NOW + 59) if name == "vocms0281" else agent
        for name, agent in snapshot.agents.items()
    }
    await service.publish(structs.replace(snapshot, agents=agents))
    data = await told(stream, "snapshot")
    assert data["sites"] == []
    whole = msgspec.json.decode((await service.ask("/api/agents")).body)
    assert data["agents"] == [agent for agent in whole["agents"] if agent["name"] == "vocms0281"]
    assert data["agents"][0]["as_of"] == "2026-01-01T12:00:59Z"


async def test_what_is_gone_is_named_and_what_comes_back_is_told(service: Serving) -> None:
    stream = await listen(service, "?kind=snapshot")
    snapshot = make_snapshot()
    without = structs.replace(
        snapshot,
        started=NOW + 60,
        sites={name: site for name, site in snapshot.sites.items() if name != SITE},
    )
    await service.publish(without)
    data = await told(stream, "snapshot")
    assert (data["gone"], data["sites"], data["agents_gone"]) == ([SITE], [], [])
    await service.publish(structs.replace(snapshot, started=NOW + 120))
    data = await told(stream, "snapshot")
    assert [site["name"] for site in data["sites"]] == [SITE]
    agents = {name: agent for name, agent in snapshot.agents.items() if name != "vocms0282"}
    await service.publish(structs.replace(snapshot, started=NOW + 180, agents=agents))
    assert (await told(stream, "snapshot"))["agents_gone"] == ["vocms0282"]


async def test_rows_in_short_and_names_alone(service: Serving) -> None:
    short, names = await listen(service, "?rows=short"), await listen(service, "?rows=names")
    await service.publish(changed(make_snapshot(), NOW + 60))
    whole = msgspec.json.decode((await service.ask(f"/api/sites/{SITE}")).body)
    del whole["agents"]
    assert (await told(short, "snapshot"))["sites"] == [whole]
    assert (await told(names, "snapshot"))["sites"] == [{"name": SITE}]


async def test_findings_are_told_as_they_are_raised_change_and_end(service: Serving) -> None:
    stream = await listen(service, "?kind=finding")
    snapshot = make_snapshot()
    first, second = snapshot.findings
    new = Finding("agent_silent", "vocms0281", "it is silent", 1, severity="critical", id="c3")
    other = structs.replace(second, message="they still do")
    seen = structs.replace(new, last_seen=NOW + 60)
    await service.publish(structs.replace(snapshot, started=NOW + 60, findings=(new, other)))
    assert [
        (one["change"], one["finding"]["id"], one["finding"]["message"])
        for one in [await told(stream, "finding") for _ in range(3)]
    ] == [
        ("raised", "c3", "it is silent"),
        ("changed", "b2", "they still do"),
        ("ended", "a1", first.message),
    ]
    await service.publish(structs.replace(snapshot, started=NOW + 120, findings=(seen, other)))
    await service.publish(structs.replace(snapshot, started=NOW + 180, findings=(other,)))
    ended = await told(stream, "finding")  # that it was seen again is no change
    assert (ended["change"], ended["finding"]["id"]) == ("ended", "c3")


async def test_an_acknowledgement_is_told_at_once_and_so_is_its_end(service: Serving) -> None:
    stream = await listen(service, "?kind=finding,journal")
    path = "/api/findings/b2/acknowledgement"
    assert (
        await service.ask(path, "operator", method="PUT", body=b'{"reason": "known"}', **JSON)
    ).code == 204
    data = await told(stream, "finding")
    assert (data["change"], data["finding"]["id"]) == ("acknowledged", "b2")
    listed = msgspec.json.decode((await service.ask("/api/findings?acknowledged=yes")).body)["findings"]
    assert [data["finding"]] == listed
    assert [one["kind"] for one in (await told(stream, "journal"))["entries"]] == ["acknowledgement"]
    assert (await service.ask(path, "operator", method="DELETE")).code == 204
    data = await told(stream, "finding")
    assert (data["change"], data["finding"]["acknowledgement"]) == ("acknowledged", None)


async def test_an_override_is_told_at_once(service: Serving) -> None:
    stream = await listen(service, "?kind=override")
    made = await service.ask(
        "/api/sites/T2_CH_CERN/override",
        "operator",
        method="PUT",
        body=b'{"reason": "broken", "state": "Down"}',
        If_None_Match="*",
        **JSON,
    )
    assert made.code == 201
    data = await told(stream, "override")
    assert (data["site"], data["agent"], data["old"]) == ("T2_CH_CERN", None, None)
    assert (data["new"]["state"], data["by"]) == ("Down", "/DC=ch/CN=operator")
    listed = msgspec.json.decode((await service.ask("/api/journal?kind=override")).body)["entries"]
    assert data == listed[0]


async def test_the_journal_is_told_oldest_first_in_parts(service: Serving) -> None:
    stream = await listen(service)
    await journal(service, *(state(number, "Down") for number in range(450)))
    parts = []
    while sum(map(len, parts)) < 450:
        parts.append((await told(stream, "journal"))["entries"])
    assert max(map(len, parts)) <= 200
    listed = msgspec.json.decode((await service.ask("/api/journal?limit=1000")).body)["entries"]
    assert [one for part in parts for one in part] == listed[::-1]


async def test_only_what_is_asked_for_is_told(service: Serving) -> None:
    stream = await listen(service, "?site=T2_*&agent=vocms*,a&kind=snapshot,journal")
    snapshot = make_snapshot()
    other = structs.replace(snapshot.sites["T2_CH_CERN"], running_slots=1)
    both = changed(snapshot, NOW + 60)
    await service.publish(structs.replace(both, sites={**both.sites, "T2_CH_CERN": other}))
    data = await told(stream, "snapshot")
    assert [site["name"] for site in data["sites"]] == ["T2_CH_CERN"]
    assert {agent["name"] for agent in data["agents"]} <= {"vocms0281", "vocms0282"}
    await journal(service, state(1, "Down", "T1_A"), state(2, "Down", agent="b"), state(3, "Down"))
    assert [one["time"] for one in (await told(stream, "journal"))["entries"]] == ["1970-01-01T00:00:03Z"]


async def test_where_nothing_of_it_is_asked_for_the_id_goes_on_all_the_same(service: Serving) -> None:
    stream = await listen(service, "?kind=override")
    before = stream.last_id
    await service.publish(changed(make_snapshot(), NOW + 60))
    await stream.moved(before)
    held = service.board.current
    assert held is not None
    assert stream.last_id is not None
    assert stream.last_id.startswith(f"{held.number}.")


@pytest.mark.parametrize(
    "query", ["?kind=site", "?rows=all", "?site=%0a", "?last_event_id=x", "?since=1", "?kind=journal;x"]
)
async def test_a_query_that_is_not_understood_is_refused_before_anything_is_sent(
    service: Serving, query: str
) -> None:
    answer = await service.ask(f"/api/events{query}")
    assert answer.code == 400
    assert msgspec.json.decode(answer.body)["parameter"] in query


async def test_who_listens_while_nothing_happens_is_told_that(
    service: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = await listen(service)
    monkeypatch.setattr(hub, "HEARTBEAT", 0.0)
    while not stream.comments:
        assert await stream.part() is None
    assert stream.comments[0] == "still here"

"""Overrides over the wire: guarded by what was seen, made once however often they are asked for, undone."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from tornado.httpclient import HTTPResponse

from rcmon.model import AgentExpected, Pressure, SiteExpected, Snapshot, Upstream
from rcmon.store import Store
from rcmon.store.overrides import make_change
from rcmon.timestamps import iso
from rcmon.web.about import BASE
from rcmon.web.app import TABLE
from tests.web.grid import AGENTS, NOW, OVERRIDDEN, SITES, make_snapshot
from tests.web.pki import CREDENTIALS, subject
from tests.web.serving import Serving, serving

SITE = "/api/sites/T1_US_FNAL/override"
OWN = "/api/agents/vocms0281/sites/T1_US_FNAL/override"
LIST = "/api/overrides"
NEW = {"If_None_Match": "*"}
DRAIN = {"state": "Draining", "reason": "cooling fails"}
LATCHED = {"pending_slots": 9, "mode": "latched", "reason": "r"}
FEWER = {"state": "Draining", "pending_slots": 5, "reason": "r"}
DAY = 86400.0


@asynccontextmanager
async def steered(tmp_path: Path, snapshot: Snapshot | None = None) -> AsyncIterator[Serving]:
    store = Store(f"sqlite:///{tmp_path}/rcmon.sqlite")
    await store.migrate()
    async with serving(table=TABLE, store=store) as served:
        await served.publish(snapshot or make_snapshot())
        yield served


async def send(
    served: Serving, method: str, path: str, said: object = None, who: str = "operator", **fields: str
) -> HTTPResponse:
    body = None if said is None else said if isinstance(said, bytes) else json.dumps(said).encode()
    kind = {} if said is None else {"Content_Type": "application/json"}
    return await served.ask(path, who, method=method, body=body, **{**kind, **fields})


async def put(served: Serving, said: object = DRAIN, path: str = SITE, **fields: str) -> HTTPResponse:
    return await send(served, "PUT", path, said, **fields)


async def made(served: Serving, said: object = DRAIN, path: str = SITE) -> str:
    answer = await put(served, said, path, **NEW)
    assert answer.code == 201, answer.body
    return str(answer.headers["ETag"])


async def told(served: Serving, path: str = LIST) -> Any:
    answer = await served.ask(path, "reader")
    assert answer.code == 200, answer.body
    return json.loads(answer.body)


async def journal(served: Serving) -> list[Any]:
    entries: list[Any] = (await told(served, "/api/journal?kind=override"))["entries"]
    return entries[::-1]


async def test_an_override_is_made_told_changed_and_ended(tmp_path: Path) -> None:
    async with steered(tmp_path) as served:
        assert (await served.ask(SITE)).code == 404
        answer = await put(served, DRAIN | {"running_slots": 0}, **NEW)
        assert answer.code == 201
        assert answer.headers["Cache-Control"] == "no-store"
        first = json.loads(answer.body)
        operator = str(subject(CREDENTIALS["operator"]))
        assert first | {"etag": None} == {
            "site": "T1_US_FNAL",
            "agent": None,
            "state": "Draining",
            "running_slots": 0,
            "pending_slots": None,
            "mode": "until",
            "until": iso(NOW + DAY),
            "reason": "cooling fails",
            "by": operator,
            "made": iso(NOW),
            "version": 1,
            "etag": None,
            "address": BASE + SITE,
            "undo": f"{BASE}/api/overrides/1/undo",
        }
        assert answer.headers["ETag"] == f'"{first["etag"]}"'
        assert await told(served, SITE) == first
        assert (await told(served))["overrides"] == [first]
        read = await served.ask(SITE, If_None_Match=answer.headers["ETag"])
        assert (read.code, read.headers["ETag"]) == (304, answer.headers["ETag"])

        served.now = NOW + 60
        changed = await put(
            served, {"pending_slots": 9, "mode": "latched", "reason": "r"}, If_Match=first["etag"]
        )
        assert changed.code == 400  # an ETag stands in quotation marks
        changed = await put(served, LATCHED, If_Match=answer.headers["ETag"])
        assert changed.code == 200
        second = json.loads(changed.body)
        assert (second["version"], second["state"], second["pending_slots"]) == (2, None, 9)
        assert (second["mode"], second["until"]) == ("latched", None)

        ended = await send(served, "DELETE", SITE, If_Match=changed.headers["ETag"])
        assert ended.code == 200
        assert json.loads(ended.body)["overrides"] == [
            {"site": "T1_US_FNAL", "agent": None, "before": second, "after": None}
        ]
        assert (await served.ask(SITE)).code == 404
        entries = await journal(served)
        assert [(one["old"] and one["old"]["version"], one["by"]) for one in entries] == [
            (None, operator),
            (1, operator),
            (2, operator),
        ]
        assert [one["new"] and one["new"]["pending_slots"] for one in entries] == [None, 9, None]
        assert [one["time"] for one in entries] == [iso(NOW), iso(NOW + 60), iso(NOW + 60)]


async def test_a_site_and_one_agent_at_it_are_two_places(tmp_path: Path) -> None:
    async with steered(tmp_path) as served:
        await made(served)
        await made(served, {"state": "Normal", "reason": "r"}, OWN)
        places = [(one["site"], one["agent"], one["state"]) for one in (await told(served))["overrides"]]
        assert places == [("T1_US_FNAL", None, "Draining"), ("T1_US_FNAL", "vocms0281", "Normal")]
        assert (await told(served, OWN))["address"] == BASE + OWN


async def test_who_has_not_seen_what_is_there_changes_nothing(tmp_path: Path) -> None:
    async with steered(tmp_path) as served:
        other = DRAIN | {"state": "Down"}
        assert (await put(served)).code == 428
        assert (await send(served, "DELETE", SITE)).code == 428
        assert (await put(served, DRAIN, If_Match='"1-abc"')).code == 412
        assert (await put(served, DRAIN, If_Match="*")).code == 400
        assert (await put(served, DRAIN, If_None_Match='"1-abc"')).code == 400
        assert (await put(served, DRAIN, If_Match='"a"', If_None_Match="*")).code == 400
        assert (await told(served))["overrides"] == []
        tag = await made(served)
        refused = await put(served, other, **NEW)
        assert (refused.code, refused.headers["ETag"]) == (412, tag)
        assert (await put(served, other, If_Match='"1-abc"')).code == 412
        assert (await put(served, other, If_Match=f"W/{tag}")).code == 412
        assert (await send(served, "DELETE", SITE, If_Match='"1-abc"')).code == 412
        assert (await send(served, "DELETE", SITE)).code == 428
        assert [one["state"] for one in (await told(served))["overrides"]] == ["Draining"]
        # a list of what was seen, and the ETag of the compressed form, are as good
        assert (await put(served, other, If_Match=f'"1-abc", {tag[:-1]}-gz"')).code == 200
        assert len(await journal(served)) == 2


async def test_what_is_asked_for_again_is_told_again_and_not_made_again(tmp_path: Path) -> None:
    """An answer may be lost: who asks again in the same words gets it."""
    async with steered(tmp_path) as served:
        first = await put(served, **NEW)
        served.now += 30
        again = await put(served, **NEW)
        assert (first.code, again.code) == (201, 200)
        assert (again.body, again.headers["ETag"]) == (first.body, first.headers["ETag"])
        until = {**DRAIN, "until": NOW + 7200}
        second = await put(served, until, If_Match=first.headers["ETag"])
        again = await put(served, until, If_Match=first.headers["ETag"])
        assert (second.code, again.code, again.body) == (200, 200, second.body)
        again = await put(served, until, If_Match=second.headers["ETag"])
        assert (again.code, again.body) == (200, second.body)
        ended = await send(served, "DELETE", SITE, If_Match=second.headers["ETag"])
        again = await send(served, "DELETE", SITE, If_Match=second.headers["ETag"])
        assert (ended.code, again.code, again.body) == (200, 200, ended.body)
        assert (await send(served, "DELETE", SITE, If_Match=first.headers["ETag"])).code == 404
        assert [one["new"] and one["new"]["version"] for one in await journal(served)] == [1, 2, None]


async def test_who_has_seen_an_override_may_let_it_last_another_day(tmp_path: Path) -> None:
    async with steered(tmp_path) as served:
        tag = await made(served)
        served.now += 3600
        renewed = await put(served, If_Match=tag)
        assert renewed.code == 200
        assert json.loads(renewed.body)["until"] == iso(NOW + 3600 + DAY)
        again = await put(served, If_Match=tag)
        assert (again.code, again.body) == (200, renewed.body)


async def test_the_same_from_somebody_else_is_another_override(tmp_path: Path) -> None:
    async with steered(tmp_path) as served:
        tag = await made(served)
        assert (await put(served, who="admin", **NEW)).code == 412
        taken = await put(served, who="admin", If_Match=tag)
        assert json.loads(taken.body)["by"] == str(subject(CREDENTIALS["admin"]))
        assert json.loads(taken.body)["version"] == 2


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        (b"{", 400, "JSON"),
        (b"\xff", 400, "JSON"),
        (b'{"reason": "r", "state": "Down", "state": "Normal"}', 400, "'state' twice"),
        (b'{"reason": "r", "state": "Down", "st\\u0061te": "Down"}', 400, "'state' twice"),
        ([], 422, "object"),
        ({"state": "Down"}, 422, "reason"),
        ({"reason": "r"}, 422, "'running_slots'"),
        (DRAIN | {"reason": ""}, 422, "reason"),
        (DRAIN | {"reason": " \n"}, 422, "reason"),
        (DRAIN | {"reason": "a\0b"}, 422, "reason"),
        (DRAIN | {"reason": "x" * 1001}, 422, "reason"),
        (DRAIN | {"state": "Aborted"}, 422, "Aborted"),
        (DRAIN | {"running": 5}, 422, "`running`"),
        (DRAIN | {"running_slots": -1}, 422, "running_slots"),
        (DRAIN | {"running_slots": 1_000_001}, 422, "running_slots"),
        (DRAIN | {"pending_slots": 1.5}, 422, "pending_slots"),
        (DRAIN | {"pending_slots": True}, 422, "pending_slots"),
        (DRAIN | {"mode": "oneday"}, 422, "oneday"),
        (DRAIN | {"until": "Friday"}, 422, "Friday"),
        (DRAIN | {"until": NOW}, 422, "later"),
        (DRAIN | {"until": NOW + 30 * DAY + 1}, 422, "30 days"),
        (DRAIN | {"mode": "latched", "until": NOW + 60}, 422, "'until'"),
        (b'{"reason": "' + b"x" * 20_000 + b'"}', 413, "16384"),
    ],
)
async def test_what_is_no_override_is_refused_with_what_is_wrong(
    tmp_path: Path, said: object, code: int, words: str
) -> None:
    async with steered(tmp_path) as served:
        answer = await put(served, said, **NEW)
        assert answer.code == code, answer.body
        assert words in json.loads(answer.body)["detail"]
        assert (await told(served))["overrides"] == []


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/api/sites/T1_US_FNAL2/override", "T1_US_FNAL2"),
        ("/api/sites/t1_us_fnal/override", "t1_us_fnal"),
        ("/api/agents/vocms9/sites/T1_US_FNAL/override", "vocms9"),
        ("/api/agents/vocms0281/sites/T9_XX/override", "T9_XX"),
    ],
)
async def test_an_unknown_place_is_named(tmp_path: Path, path: str, named: str) -> None:
    async with steered(tmp_path) as served:
        for preview in ("", "?preview=true"):
            answer = await put(served, DRAIN, path + preview, **NEW)
            assert answer.code == 404
            assert named in json.loads(answer.body)["detail"]
        assert (await told(served))["overrides"] == []


async def test_an_agent_that_is_unknown_is_told_without_the_site(tmp_path: Path) -> None:
    async with steered(tmp_path) as served:
        answer = await put(served, DRAIN, "/api/agents/vocms9/sites/T1_US_FNAL/override", **NEW)
        assert answer.code == 404
        assert json.loads(answer.body)["detail"] == "There is no agent 'vocms9' in the snapshot."


async def test_an_agent_that_does_not_have_the_site_is_told_so(tmp_path: Path) -> None:
    snapshot = make_snapshot()
    site = snapshot.sites["T1_US_FNAL"]
    lacking = structs.replace(site, agents={k: v for k, v in site.agents.items() if k != "vocms0281"})
    snapshot = structs.replace(snapshot, sites={**snapshot.sites, "T1_US_FNAL": lacking})
    async with steered(tmp_path, snapshot) as served:
        answer = await put(served, DRAIN, OWN, **NEW)
        assert answer.code == 404
        assert "has no such site" in json.loads(answer.body)["detail"]


async def test_an_override_of_a_site_that_left_can_be_ended(tmp_path: Path) -> None:
    async with steered(tmp_path) as served:
        tag = await made(served)
        snapshot = make_snapshot(NOW)
        sites = {name: site for name, site in snapshot.sites.items() if name != "T1_US_FNAL"}
        await served.publish(structs.replace(snapshot, sites=sites))
        assert (await send(served, "DELETE", SITE, If_Match=tag)).code == 200


async def test_a_change_is_undone_and_that_too(tmp_path: Path) -> None:
    async with steered(tmp_path) as served:
        tag = await made(served)
        second = await put(served, DRAIN | {"state": "Down", "mode": "latched"}, If_Match=tag)
        served.now += 5
        undo = "/api/overrides/2/undo"
        assert (await send(served, "POST", undo)).code == 428
        assert (await send(served, "POST", undo, If_Match=tag)).code == 412
        why = {"reason": "it was Draining that was meant"}
        assert (await send(served, "POST", undo, {"why": 1}, If_Match=second.headers["ETag"])).code == 422
        undone = await send(served, "POST", undo, why, If_Match=second.headers["ETag"])
        assert undone.code == 200
        change = json.loads(undone.body)
        assert change["cause"] == "change 2 was undone: it was Draining that was meant"
        assert (change["number"], change["undoes"]) == (3, 2)
        now = await told(served, SITE)
        assert (now["state"], now["mode"], now["until"], now["version"]) == (
            "Draining",
            "until",
            iso(NOW + DAY),
            3,
        )
        assert now["made"] == iso(NOW + 5)
        assert await told(served, "/api/overrides/3") == change
        again = await send(served, "POST", undo, If_Match=second.headers["ETag"])
        assert (again.code, again.body) == (200, undone.body)
        assert len(await journal(served)) == 3
        back = await send(served, "POST", "/api/overrides/3/undo", If_Match=undone.headers["ETag"])
        assert back.code == 200
        assert (await told(served, SITE))["state"] == "Down"


async def test_the_undoing_of_a_creation_ends_it_and_of_an_end_makes_it_anew(tmp_path: Path) -> None:
    async with steered(tmp_path) as served:
        tag = await made(served)
        undone = await send(served, "POST", "/api/overrides/1/undo", If_Match=tag)
        assert undone.code == 200
        assert (await served.ask(SITE)).code == 404
        tag = undone.headers["ETag"]
        assert (await send(served, "POST", "/api/overrides/2/undo", If_Match=tag)).code == 200
        assert (await told(served, SITE))["version"] == 3


async def test_only_the_last_change_of_a_place_is_undone(tmp_path: Path) -> None:
    async with steered(tmp_path) as served:
        tag = await made(served)
        await made(served, DRAIN, OWN)  # another place: it does not count
        second = await put(served, DRAIN | {"state": "Down"}, If_Match=tag)
        refused = await send(served, "POST", "/api/overrides/1/undo", If_Match=tag)
        assert refused.code == 409
        assert "change 3" in json.loads(refused.body)["detail"]
        assert (await send(served, "DELETE", SITE, If_Match=second.headers["ETag"])).code == 200
        served.now = NOW + DAY
        last = await told(served, "/api/overrides/4")
        refused = await send(served, "POST", "/api/overrides/4/undo", If_Match=f'"{last["etag"]}"')
        assert refused.code == 409
        assert "over" in json.loads(refused.body)["detail"]
        for number in ("99", "x", "1" * 40, "-1"):
            answer = await send(served, "POST", f"/api/overrides/{number}/undo", If_Match='"1-a"')
            assert answer.code == 404
            assert (await served.ask(f"/api/overrides/{number}")).code == 404


def entry(site: str, state: str = "Draining", etag: str | None = None, **more: Any) -> dict[str, Any]:
    return {"site": site, "etag": etag, "override": {"state": state, "reason": "r"}} | more


async def test_many_are_changed_at_once(tmp_path: Path) -> None:
    async with steered(tmp_path) as served:
        tag = (await made(served)).strip('"')
        said = {
            "overrides": [
                entry("T1_US_FNAL", etag=tag, override=None),
                entry("T1_DE_KIT"),
                entry("T2_CH_CERN", "Down", agent="vocms0282"),
            ]
        }
        answer = await send(served, "PUT", LIST, said)
        assert answer.code == 200, answer.body
        change = json.loads(answer.body)
        assert change["number"] == 2
        assert [(one["site"], one["agent"], one["state"]) for one in (await told(served))["overrides"]] == [
            ("T1_DE_KIT", None, "Draining"),
            ("T2_CH_CERN", "vocms0282", "Down"),
        ]
        again = await send(served, "PUT", LIST, said)
        assert (again.code, again.body) == (200, answer.body)
        assert len(await journal(served)) == 4
        undone = await send(served, "POST", "/api/overrides/2/undo", If_Match=answer.headers["ETag"])
        assert undone.code == 200
        assert [one["site"] for one in (await told(served))["overrides"]] == ["T1_US_FNAL"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (entry("T1_UK_RAL", etag="1-abc"), 412),
        (entry("T1_UK_RAL", etag="1-abc", override=None), 404),
        (entry("T1_US_FNAL"), 412),
        (entry("T9_XX"), 404),
        (entry("T1_DE_KIT"), 422),
        (entry("T1_UK_RAL", "Aborted"), 422),
        ({"site": "T1_UK_RAL", "override": None}, 422),
        (entry("T1_UK_RAL", more=1), 422),
        (entry("T1_UK_RAL\0"), 422),
    ],
)
async def test_of_many_all_or_none_is_changed(tmp_path: Path, wrong: Any, code: int) -> None:
    async with steered(tmp_path) as served:
        await made(served)
        answer = await send(served, "PUT", LIST, {"overrides": [entry("T1_DE_KIT"), wrong]})
        assert answer.code == code, answer.body
        assert [one["site"] for one in (await told(served))["overrides"]] == ["T1_US_FNAL"]
        assert len(await journal(served)) == 1


async def test_the_list_goes_on(tmp_path: Path) -> None:
    async with steered(tmp_path) as served:
        for site in ("T1_DE_KIT", "T1_ES_PIC", "T1_US_FNAL"):
            await made(served, DRAIN, f"/api/sites/{site}/override")
        first = await told(served, f"{LIST}?limit=2")
        assert (first["count"], first["total"]) == (2, 3)
        second = await told(served, first["next"].removeprefix(BASE))
        assert [one["site"] for one in second["overrides"]] == ["T1_US_FNAL"]
        assert second["next"] is None


def foreseeable() -> Snapshot:
    """Of one agent no job ads are known, and nothing is expected of another."""
    idle = {"Production": Pressure(50, 7, 1), "NoTaskOfOurs": Pressure(5, 4, 0)}
    pressure = {agent: {"T1_US_FNAL": idle} for agent in AGENTS if agent != "vocms0282"}
    expected = {
        agent: AgentExpected(sites={"T1_US_FNAL": SiteExpected("Normal", "Normal", 1000, 200)})
        for agent in ("cmsgwms-submit4", "vocms0281")
    }
    return structs.replace(make_snapshot(), given={"ads": Upstream(pressure=pressure)}, expected=expected)


async def test_a_preview_tells_what_would_change_in_which_agents_and_does_nothing(tmp_path: Path) -> None:
    async with steered(tmp_path, foreseeable()) as served:
        answer = await put(
            served, {"state": "Draining", "pending_slots": 5, "reason": "r"}, f"{SITE}?preview=true"
        )
        assert answer.code == 200, answer.body
        seen = json.loads(answer.body)
        assert (seen["preview"], seen["changes"]) == (True, 1)
        held = make_snapshot().sites["T1_US_FNAL"].agents
        for agent, one in zip(AGENTS, seen["agents"], strict=True):
            before = held[agent]
            assert one | {"stale": None} == {
                "agent": agent,
                "site": "T1_US_FNAL",
                "before": {
                    "state": "Normal",
                    "running_slots": before.running_slots,
                    "pending_slots": before.pending_slots,
                },
                "after": {"state": "Draining", "running_slots": before.running_slots, "pending_slots": 5},
                "cache_rebuilt": True,
                "idle_jobs_killed": None if agent == "vocms0282" else 11,
                "as_of": iso(NOW - 12),
                "stale": None,
            }
        assert seen["caches_rebuilt"] == 3
        assert seen["idle_jobs_killed"] is None
        assert len(seen["unknown"]) == 1
        assert "vocms0282" in seen["unknown"][0]
        assert "no job ads" in seen["unknown"][0]
        assert (await told(served))["overrides"] == []
        assert await journal(served) == []


async def test_a_preview_of_an_end_tells_what_would_hold_by_itself(tmp_path: Path) -> None:
    async with steered(tmp_path, foreseeable()) as served:
        tag = await made(served, {"state": "Down", "running_slots": 9, "reason": "r"})
        await made(served, {"state": "Down", "reason": "r"}, OWN)
        preview = await send(served, "DELETE", f"{SITE}?preview=true", If_Match=tag)
        seen = {one["agent"]: one for one in json.loads(preview.body)["agents"]}
        after = {agent: one["after"] for agent, one in seen.items()}
        assert (after["cmsgwms-submit4"]["state"], after["cmsgwms-submit4"]["running_slots"]) == (
            "Normal",
            1000,
        )
        assert (after["vocms0281"]["state"], after["vocms0281"]["running_slots"]) == ("Down", 1000)
        assert (after["vocms0282"]["state"], after["vocms0282"]["running_slots"]) == (None, None)
        assert seen["cmsgwms-submit4"]["idle_jobs_killed"] == 0
        assert (seen["vocms0282"]["cache_rebuilt"], seen["vocms0282"]["idle_jobs_killed"]) == (None, None)
        assert (await send(served, "DELETE", f"{SITE}?preview=true", If_Match='"1-a"')).code == 412
        assert len((await told(served))["overrides"]) == 2


async def test_a_preview_of_many_counts_each_agents_cache_once(tmp_path: Path) -> None:
    async with steered(tmp_path, foreseeable()) as served:
        said = {"overrides": [entry("T1_US_FNAL"), entry("T1_DE_KIT"), entry("T1_UK_RAL")]}
        seen = json.loads((await send(served, "PUT", f"{LIST}?preview", said)).body)
        assert (seen["changes"], len(seen["agents"]), seen["caches_rebuilt"]) == (3, 9, 3)
        assert (await told(served))["overrides"] == []


async def test_a_preview_without_a_snapshot_is_not_guessed(empty_service: Serving) -> None:
    assert (await put(empty_service, DRAIN, f"{SITE}?preview=true", **NEW)).code == 503
    assert (await put(empty_service, DRAIN, **NEW)).code == 503


async def test_a_store_that_does_not_take_it_is_said(tmp_path: Path) -> None:
    async with steered(tmp_path) as served:
        with closing(sqlite3.connect(tmp_path / "rcmon.sqlite")) as there:
            there.execute("DROP TABLE override_change")
        answer = await put(served, **NEW)
        assert answer.code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert (await told(served))["overrides"] == []


async def test_what_closes_many_sites_at_once_needs_a_second_reason(tmp_path: Path) -> None:
    """Of 62 sites a tenth is six: also one after the other within half an hour."""
    async with steered(tmp_path) as served:
        many = {"overrides": [entry(site) for site in SITES[:7]]}
        refused = await send(served, "PUT", LIST, many)
        assert refused.code == 409
        assert "7 of 62 sites" in json.loads(refused.body)["detail"]
        assert (await told(served))["overrides"] == []
        preview = json.loads((await send(served, "PUT", f"{LIST}?preview", many)).body)
        assert "7 of 62 sites" in preview["needs_force"]
        for site in SITES[:6]:
            await made(served, DRAIN, f"/api/sites/{site}/override")
        seventh = f"/api/sites/{SITES[6]}/override"
        assert (await put(served, DRAIN, seventh, **NEW)).code == 409
        own = f"/api/agents/vocms0281/sites/{SITES[6]}/override"
        assert (await put(served, {"running_slots": 1, "reason": "r"}, own, **NEW)).code == 409
        assert (await put(served, {"pending_slots": 1, "reason": "r"}, own, **NEW)).code == 409
        assert (await put(served, {"running_slots": 999_999, "reason": "r"}, own, **NEW)).code == 201
        again = await put(served, DRAIN | {"state": "Down"}, f"/api/sites/{SITES[0]}/override", **NEW)
        assert again.code == 412
        forced = await put(served, DRAIN, f"{seventh}?force=the%20whole%20region%20is%20down", **NEW)
        assert forced.code == 201
        assert (await journal(served))[-1]["cause"].startswith("set, forced (the whole region is down)")
        etag = (await told(served, seventh))["etag"]
        assert (await send(served, "DELETE", seventh, If_Match=f'"{etag}"')).code == 200
        served.now += 1801
        assert (await put(served, DRAIN, seventh, **NEW)).code == 201


async def test_undoing_what_closes_many_sites_needs_a_second_reason_too(tmp_path: Path) -> None:
    async with steered(tmp_path) as served:
        many = {"overrides": [entry(site) for site in SITES[:7]]}
        assert (await send(served, "PUT", f"{LIST}?force=r", many)).code == 200
        tags = {one["site"]: one["etag"] for one in (await told(served))["overrides"]}
        served.now += 1801
        ends = {"overrides": [entry(site, etag=tags[site], override=None) for site in SITES[:7]]}
        ended = await send(served, "PUT", LIST, ends)
        assert ended.code == 200
        served.now += 1801
        undo, seen = "/api/overrides/2/undo", ended.headers["ETag"]
        assert (await send(served, "POST", undo, If_Match=seen)).code == 409
        assert (await send(served, "POST", f"{undo}?force=r", If_Match=seen)).code == 200
        assert len((await told(served))["overrides"]) == 7


async def test_many_hundred_places_are_changed_and_undone_in_one_step(tmp_path: Path) -> None:
    async with steered(tmp_path) as served:
        places = [(site, agent) for site in SITES for agent in (None, *AGENTS)]
        many = {"overrides": [entry(site, "Normal", agent=agent) for site, agent in places]}
        made_now = await send(served, "PUT", LIST, many)
        assert made_now.code == 200
        assert (await told(served))["total"] == len(places) == 248
        assert (await send(served, "PUT", LIST, many)).body == made_now.body
        undo, seen = "/api/overrides/1/undo", made_now.headers["ETag"]
        undone = await send(served, "POST", undo, If_Match=seen)
        assert undone.code == 200
        assert (await send(served, "POST", undo, If_Match=seen)).body == undone.body
        assert (await told(served))["total"] == 0


async def test_what_was_undone_in_part_is_not_undone_again(tmp_path: Path) -> None:
    """Of two places that one change set one was changed since."""
    async with steered(tmp_path) as served:
        both = await send(served, "PUT", LIST, {"overrides": [entry("T1_DE_KIT"), entry("T1_UK_RAL")]})
        etag = (await told(served, "/api/sites/T1_DE_KIT/override"))["etag"]
        ended = await send(served, "DELETE", "/api/sites/T1_DE_KIT/override", If_Match=f'"{etag}"')
        assert ended.code == 200
        refused = await send(served, "POST", "/api/overrides/1/undo", If_Match=both.headers["ETag"])
        assert refused.code == 409
        assert "'T1_DE_KIT'" in json.loads(refused.body)["detail"]
        assert [one["site"] for one in (await told(served))["overrides"]] == ["T1_UK_RAL"]


async def test_an_override_is_ended_also_without_a_snapshot(empty_service: Serving) -> None:
    async with empty_service.reads.adding() as connection:
        await make_change(connection, OVERRIDDEN)
    answer = await send(empty_service, "DELETE", SITE, If_Match=f'"{OVERRIDDEN.tag}"')
    assert answer.code == 200

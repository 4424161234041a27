"""`?at=`: what held at a past moment, from what is kept of it, and nothing that is not."""

import asyncio
from typing import Any
from unittest.mock import ANY

import msgspec
import pytest
from msgspec import structs

from rcmon.collector.changes import changes
from rcmon.collector.journal import entries
from rcmon.collector.totals import grid_point
from rcmon.errors import StoreError
from rcmon.model import Snapshot
from rcmon.render import render
from rcmon.store.grid import add_grid
from rcmon.store.pruning import Ages, prune
from rcmon.timestamps import iso
from tests.store.using import save
from tests.web.grid import NOW, make_snapshot
from tests.web.serving import Serving

SITE, AGENT = "T1_DE_KIT", "vocms0281"
PATHS = (
    "/api/sites", f"/api/sites/{SITE}", "/api/agents", f"/api/agents/{AGENT}", "/api/why",
    f"/api/sites/{SITE}/why",
)  # fmt: skip
DAY = 86400
FIRST, SECOND = NOW - 10 * DAY, NOW - 5 * DAY
UNKNOWN_JOBS = {"error": None, "complete": None, "unknown": None}


def at(time: float, path: str = "/api/sites") -> str:
    return f"{path}{'&' if '?' in path else '?'}at={time}"


async def keep(service: Serving, *snapshots: Snapshot) -> None:
    """Store snapshots as the collector does, the last one with its documents, and take that."""
    assert service.store
    last = None
    for one in snapshots:
        made = render(one) if one is snapshots[-1] else []
        await save(service.store, one, made, changes(last, one), journal=entries(last, one))
        async with service.store.transaction() as connection:
            await add_grid(connection, grid_point(one))
        last = one
    await service.board.check()


async def keep_three(service: Serving) -> dict[float, Snapshot]:
    made = {
        time: structs.replace(make_snapshot(seed=seed), started=time)
        for seed, time in ((1, FIRST), (2, SECOND), (3, NOW - 30))
    }
    await keep(service, *made.values())
    return made


async def read(service: Serving, path: str) -> Any:
    answer = await service.ask(path)
    assert answer.code == 200, answer.body
    return msgspec.json.decode(answer.body)


def forgotten(now: Any, then: Any) -> Any:
    """Take from today's answer what another lacks: null in it, or not there at all."""
    if isinstance(now, dict) and isinstance(then, dict):
        return {name: forgotten(now[name], then[name]) for name in now if name in then} | {
            name: then[name] for name in then.keys() - now.keys()
        }
    if isinstance(now, list) and isinstance(then, list) and len(now) == len(then):
        return [forgotten(*pair) for pair in zip(now, then, strict=True)]
    return None if then is None else now


@pytest.mark.parametrize("path", PATHS[:2])
async def test_the_newest_moment_is_what_is_served_but_for_what_is_not_kept(
    service: Serving, path: str
) -> None:
    await keep_three(service)
    now, then = await read(service, path), await read(service, at(NOW - 30, path))
    assert then.pop("past")["complete"]
    assert forgotten(now, then) == then


async def test_a_past_moment_is_what_was_then(service: Serving) -> None:
    made = await keep_three(service)
    for time, snapshot in made.items():
        document = await read(service, at(time))
        assert document["timestamp"] == iso(time)
        assert document["past"]["changed"] == iso(time)
        assert [site["name"] for site in document["sites"]] == list(snapshot.sites)
        assert document["total"] == document["count"] == len(snapshot.sites)
        for site in document["sites"]:
            expected = snapshot.sites[site["name"]]
            assert site["state"] == expected.state
            assert site["running_jobs"] == site["jobs"]["running"] == expected.jobs.running
            assert site["jobs"] == UNKNOWN_JOBS | {
                "running": expected.jobs.running,
                "pending": expected.jobs.pending,
            }
            assert {
                (agent, task): (shown["max_slots"], shown["running_jobs"], shown["error_jobs"])
                for agent, seen in site["agents"].items()
                for task, shown in seen["tasks"].items()
            } == {
                (agent, name): (task.max_slots, task.jobs.running, None)
                for agent, view in expected.agents.items()
                for name, task in view.tasks.items()
            }
        one = await read(service, at(time, f"/api/sites/{SITE}"))
        assert (one.pop("timestamp"), one.pop("past")) == (document["timestamp"], ANY)
        assert one == next(site for site in document["sites"] if site["name"] == SITE)


async def test_filters_and_formats_hold_for_the_past_too(service: Serving) -> None:
    await keep_three(service)
    page = await read(service, at(SECOND, "/api/sites?site=T1_*&limit=2&fields=name,jobs"))
    assert (page["count"], len(page["sites"])) == (2, 2)
    assert page["total"] > 2
    assert set(page["sites"][0]) == {"name", "jobs"}
    rest = await read(service, page["next"].removeprefix("/wm_resource_monitor"))
    assert rest["timestamp"] == page["timestamp"]
    lines = (await service.ask(at(SECOND, f"/api/sites?site={SITE}&format=csv"))).body.decode().splitlines()
    cells = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
    assert (cells["name"], cells["error_jobs"], cells["complete_jobs"]) == (SITE, "", "")
    assert cells["running_jobs"].isdigit()
    pretty = await service.ask(at(SECOND, f"/api/sites?site={SITE}&pretty"))
    assert msgspec.json.decode(pretty.body)["past"]["resolution"] == 0


async def test_agents_are_those_that_were_there(service: Serving) -> None:
    made = await keep_three(service)
    gone = structs.replace(
        made[NOW - 30],
        started=NOW - 10,
        agents={name: agent for name, agent in made[NOW - 30].agents.items() if name != AGENT},
    )
    rows, told = changes(made[NOW - 30], gone), entries(made[NOW - 30], gone)
    assert service.store
    await save(service.store, gone, render(gone), rows, journal=told)
    await service.board.check()
    names = [one["name"] for one in (await read(service, at(NOW - 11, "/api/agents")))["agents"]]
    assert names == sorted(made[NOW - 30].agents)
    assert AGENT not in [one["name"] for one in (await read(service, at(NOW - 10, "/api/agents")))["agents"]]
    assert (await service.ask(at(NOW - 10, f"/api/agents/{AGENT}"))).code == 404
    one = await read(service, at(SECOND, f"/api/agents/{AGENT}"))
    agent = made[SECOND].agents[AGENT]
    assert (one["version"], one["drain"], one["sites"]) == (agent.version, agent.drain, len(agent.sites))
    assert one["jobs"]["running"] == sum(site.jobs.running for site in agent.sites.values())
    assert (one["stale"], one["as_of"], one["findings"], one["workers"]) == (None, None, None, None)
    short = next(
        each for each in (await read(service, at(SECOND, "/api/agents")))["agents"] if each["name"] == AGENT
    )
    assert {short[name] == one[name] for name in ("version", "drain", "sites", "jobs")} == {True}
    assert short["status"] == one["health"]["status"]


async def test_why_says_what_stood_against_it_and_what_is_not_kept(service: Serving) -> None:
    await keep_three(service)
    page = await read(service, at(SECOND, "/api/why?limit=2000"))
    assert {one["submits"] for one in page["answers"]} == {False, None}
    assert {one["reason"] for one in page["answers"]} >= {None, "site_down", "site_draining", "site_aborted"}
    assert any("CMS name" in words for words in page["past"]["not_kept"])
    assert all((one["stale"], one["as_of"], one["admission"]) == (None, None, None) for one in page["sites"])
    blocked = await read(service, at(SECOND, "/api/why?blocked=true&limit=2000"))
    assert {one["reason"] for one in blocked["answers"]} == {
        one["reason"] for one in page["answers"] if one["reason"]
    }
    others = await read(service, at(SECOND, "/api/why?blocked=false&limit=2000"))
    both = sorted(
        [*blocked["answers"], *others["answers"]], key=lambda one: (one["site"], one["agent"], one["task"])
    )
    assert (both, len(both)) == (page["answers"], page["total"])
    part = await read(service, at(SECOND, f"/api/sites/{SITE}/why"))
    assert part["answers"] == [one for one in page["answers"] if one["site"] == SITE]
    assert (await service.ask(at(SECOND, "/api/sites/T2_NO_SUCH/why"))).code == 404


async def test_what_is_selected_of_the_past_is_judged_as_it_is_among_all(service: Serving) -> None:
    await keep_three(service)
    whole = (await read(service, at(SECOND, "/api/why?limit=2000")))["answers"]
    for query, wanted in (
        ("", whole),
        ("&task=Merge", [one for one in whole if one["task"] == "Merge"]),
        (
            f"&agent={AGENT}&site=T1_*",
            [one for one in whole if one["agent"] == AGENT and one["site"][:3] == "T1_"],
        ),
    ):
        path, got = at(SECOND, f"/api/why?limit={len(wanted) // 2 + 1}{query}"), []
        while path:
            page = await read(service, path)
            assert page["total"] == len(wanted) > 2
            got += page["answers"]
            path = (page["next"] or "").removeprefix("/wm_resource_monitor")
        assert got == wanted


async def test_task_types_that_were_not_kept_are_named(service: Serving) -> None:
    assert service.store
    first = structs.replace(make_snapshot(), started=FIRST)
    rows = [structs.replace(row, tasks=None) for row in changes(None, first)]
    await save(service.store, first, [], rows)
    await keep(service, structs.replace(make_snapshot(), started=NOW - 30))
    page = await read(service, at(FIRST, f"/api/sites/{SITE}/why"))
    assert page["answers"] == []
    assert any(f"the task types of {SITE} in " in words for words in page["past"]["not_kept"])
    assert any(words.startswith("the components of ") for words in page["past"]["not_kept"])
    site = await read(service, at(FIRST, f"/api/sites/{SITE}"))
    assert {agent["tasks"] for agent in site["agents"].values()} == {None}


@pytest.mark.parametrize("path", PATHS)
async def test_what_is_not_kept_is_gone_with_the_range_that_is(service: Serving, path: str) -> None:
    await keep_three(service)
    answer = await service.ask(at(FIRST - 1, path))
    problem = msgspec.json.decode(answer.body)
    assert (answer.code, answer.headers["Content-Type"]) == (410, "application/problem+json")
    assert (problem["since"], problem["until"]) == ("2025-12-22T12:00:00Z", "2026-01-01T11:59:30Z")
    assert problem["since"] in problem["detail"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "text",
    ["yesterday", "", "2026-01-01T00:00:00", f"{NOW + 60}", "2999-01-01T00:00:00Z", "1e9", "-5", "9" * 50],
)
async def test_what_is_no_past_time_is_refused(service: Serving, path: str, text: str) -> None:
    await keep_three(service)
    answer = await service.ask(at(text, path))  # type: ignore[arg-type]
    problem = msgspec.json.decode(answer.body)
    assert (answer.code, problem["parameter"]) == (400, "at")
    assert "past" in problem["allowed"] or "epoch" in problem["allowed"]


@pytest.mark.parametrize("path", PATHS)
async def test_it_is_read_again_by_its_etag(service: Serving, path: str) -> None:
    await keep_three(service)
    first = await service.ask(at(SECOND, path))
    again = await service.ask(at(SECOND, path), If_None_Match=first.headers["ETag"])
    assert (again.code, again.body) == (304, b"")
    other = await service.ask(at(FIRST, path), If_None_Match=first.headers["ETag"])
    assert other.code == 200


async def test_a_moment_after_the_newest_cycle_is_that_of_the_newest_and_not_complete(
    service: Serving,
) -> None:
    await keep_three(service)
    document = await read(service, at(NOW - 1))
    assert document["timestamp"] == "2026-01-01T11:59:30Z"
    assert (document["past"]["complete"], document["past"]["at"]) == (False, "2026-01-01T11:59:59Z")


async def test_where_history_is_thinned_it_is_that_of_the_quarter_of_an_hour(service: Serving) -> None:
    made = await keep_three(service)
    assert service.store
    await prune(service.store, Ages(100 * DAY, DAY), NOW)
    document = await read(service, at(SECOND + 1000))
    assert document["past"]["resolution"] == 900
    assert document["timestamp"] == "2025-12-27T12:15:00Z"
    running = {site["name"]: site["running_jobs"] for site in document["sites"]}
    assert running == {name: site.jobs.running for name, site in made[SECOND].sites.items()}


async def test_sources_that_were_stale_are_named(service: Serving) -> None:
    made = await keep_three(service)
    expected = sorted(source.name for source in made[SECOND].sources if source.stale)
    assert expected
    assert (await read(service, at(SECOND)))["past"]["stale_sources"] == expected


async def test_before_the_first_snapshot_there_is_no_past(empty_service: Serving) -> None:
    assert (await empty_service.ask(at(FIRST))).code == 503


async def test_a_store_that_cannot_be_read_is_503_for_the_past_alone(
    service: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep_three(service)

    def broken(_: object) -> None:
        raise StoreError("disk I/O error")

    monkeypatch.setattr(service.store, "ask", broken)
    answer = await service.ask(at(SECOND))
    assert answer.code == 503
    assert answer.headers["Retry-After"]
    assert (await service.ask("/api/sites")).code == 200


async def test_others_are_answered_while_the_past_is_read(
    service: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for the database until the test lets it go on; meanwhile everything else is served."""
    await keep_three(service)
    assert service.store
    ask, go_on, begun = service.store.ask, asyncio.Event(), asyncio.Event()

    async def waiting(question: Any) -> Any:
        begun.set()
        await go_on.wait()
        return await ask(question)

    monkeypatch.setattr(service.store, "ask", waiting)
    past = asyncio.ensure_future(service.ask(at(SECOND)))
    await begun.wait()
    assert (await service.ask("/api/sites")).code == 200
    await service.publish(make_snapshot(seed=9))
    assert not past.done()
    go_on.set()
    assert (await past).code == 200

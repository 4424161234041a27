"""What differs from what is expected, as the service answers."""

from typing import Any, get_args
from urllib.parse import urlsplit

import msgspec
import pytest
from msgspec import structs

from rcmon.model import (
    DRIFT_REASONS,
    AgentReport,
    Component,
    Forecast,
    Missed,
    SiteStatus,
    Snapshot,
    SourceState,
    Upstream,
)
from rcmon.render import render
from rcmon.rules.drift import drifts
from rcmon.rules.expecting import expectations
from rcmon.web.about import BASE
from rcmon.web.api.drift import Reason
from tests.store.using import save
from tests.web.grid import AGENTS, SITES, make_snapshot
from tests.web.serving import Serving

SITE = "T1_DE_KIT"


def expecting() -> Snapshot:
    """Make the grid with a site status board whose cores are not those of the agents."""
    snapshot = make_snapshot()
    status = SiteStatus("enabled", None, None, None, 4000, 2000, None)
    report = AgentReport(snapshot.started, "production", None, "ok", drain=False)
    upstream = Upstream(dict.fromkeys(SITES, status), None, dict.fromkeys(AGENTS, report))
    board = SourceState("board", "ssb", True, False, snapshot.started, 0.1, None)
    components = (Component("JobSubmitter", 1, 7200.0),)
    agents = {name: structs.replace(agent, components=components) for name, agent in snapshot.agents.items()}
    made = structs.replace(
        snapshot, agents=agents, sources=(*snapshot.sources, board), given={"board": upstream}
    )
    made = structs.replace(made, expected=expectations(made))
    missed = Missed(snapshot.started, SITE, "slots", (1, 2), (3, 4))
    return structs.replace(
        made, drift=tuple(drifts(made)), forecasts={AGENTS[0]: Forecast(5, 1, {}, (missed,))}
    )


async def publish(service: Serving) -> None:
    """Let the service serve that grid."""
    assert service.store
    snapshot = expecting()
    await save(service.store, snapshot, render(snapshot), [])
    await service.board.check()


async def read(service: Serving, path: str) -> Any:
    answer = await service.ask(path)
    assert answer.code == 200, answer.body
    return msgspec.json.decode(answer.body)


async def test_the_whole_list_and_its_shape(service: Serving) -> None:
    await publish(service)
    document = await read(service, "/api/drift?limit=10000")
    rows = document["drifts"]
    assert document["count"] == document["total"] == len(rows) > 1000
    assert document["next"] is None
    assert set(rows[0]) == {"agent", "site", "task", "what", "expected", "actual", "reason", "detail"}
    assert [(row["agent"], row["site"] or "") for row in rows] == sorted(
        (row["agent"], row["site"] or "") for row in rows
    )


async def test_a_query_selects(service: Serving) -> None:
    await publish(service)
    path = f"/api/drift?site={SITE}&agent={AGENTS[1]}&task=Merge&reason=unexplained"
    rows = (await read(service, path))["drifts"]
    assert {(row["site"], row["agent"], row["task"], row["reason"]) for row in rows} == {
        (SITE, AGENTS[1], "Merge", "unexplained")
    }
    assert {row["what"]: row["expected"] for row in rows} == {"max_slots": 2000, "pending_slots": 300}


async def test_pages_give_every_value_once(service: Serving) -> None:
    await publish(service)
    whole = (await read(service, "/api/drift?limit=10000&reason=unexplained"))["drifts"]
    path, rows = "/api/drift?limit=97&reason=unexplained", []
    while path:
        page = await read(service, path)
        rows += page["drifts"]
        assert page["total"] == len(whole)
        path = page["next"] and page["next"].removeprefix(BASE)
        assert not path or urlsplit(path).path == "/api/drift"
    assert rows == whole


@pytest.mark.parametrize(
    "query", ["reason=odd", "limit=0", "cursor=AAAA", "cursor=W1siIiwiIl0sLTVd", "cursor=*", "x=1"]
)
async def test_what_is_not_understood_is_refused(service: Serving, query: str) -> None:
    await publish(service)
    answer = await service.ask(f"/api/drift?{query}")
    assert answer.code == 400
    assert query.split("=", maxsplit=1)[0].encode() in answer.body


async def test_expected_beside_actual(service: Serving) -> None:
    await publish(service)
    document = await read(service, f"/api/sites/{SITE}/expected")
    seen = document["agents"][AGENTS[0]]
    held = (await read(service, f"/api/sites/{SITE}"))["agents"][AGENTS[0]]
    assert seen["running_slots"] == {"expected": 4000, "actual": held["running_slots"]}
    assert seen["tasks"]["Merge"]["max_slots"] == {
        "expected": 2000,
        "actual": held["tasks"]["Merge"]["max_slots"],
    }
    assert (seen["team"], seen["agents_in_team"], seen["missing"]) == ("production", 3, None)


async def test_an_unknown_site_has_nothing_expected(service: Serving) -> None:
    await publish(service)
    assert (await service.ask("/api/sites/T9_NO_SUCH/expected")).code == 404


async def test_a_snapshot_without_expectations_says_so(service: Serving) -> None:
    document = await read(service, f"/api/sites/{SITE}/expected")
    seen = document["agents"][AGENTS[0]]
    assert seen["state"]["expected"] is None
    assert seen["missing"] == "nothing is expected of this agent"
    assert (await read(service, "/api/drift"))["drifts"] == []


async def test_an_agent_tells_its_inputs_and_its_last_misses(service: Serving) -> None:
    await publish(service)
    document = await read(service, f"/api/agents/{AGENTS[0]}")
    assert document["thresholds"]["agents_in_team"] == 3
    forecast = document["forecast"]
    assert (forecast["hits"], forecast["misses"], forecast["awaited"]) == (5, 1, 0)
    (miss,) = forecast["last_misses"]
    assert (miss["site"], miss["forecast"], miss["written"]) == (SITE, [1, 2], [3, 4])


async def test_metrics(service: Serving) -> None:
    await publish(service)
    text = (await service.ask("/api/metrics")).body.decode()
    site = f'agent="{AGENTS[0]}",site="{SITE}"'
    assert f"rcmon_site_expected_running_slots{{{site}}} 4000" in text
    assert f'rcmon_forecast_hits_total{{agent="{AGENTS[0]}"}} 5' in text
    for reason in DRIFT_REASONS:
        assert f'rcmon_drift{{agent="{AGENTS[0]}",reason="{reason}"}} ' in text


def test_every_reason_can_be_asked_for() -> None:
    assert set(get_args(Reason)) == set(DRIFT_REASONS)

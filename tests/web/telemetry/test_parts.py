"""Parts of the exposition: each a whole of its own, together all, and never twice the same."""

import gzip
import json
from urllib.parse import quote
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httpclient import HTTPResponse

from rcmon.documents.checksum import followed
from rcmon.exposition.formats import MEDIA_TYPES
from rcmon.web.api.targets import targets
from rcmon.web.telemetry.told import FAMILIES
from tests.render.reading import Series, labelled, openmetrics_series, text_series
from tests.web.grid import AGENTS, NOW, SITES, make_snapshot
from tests.web.serving import Serving

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
OWN = {family.name for family in FAMILIES}


@given(st.lists(st.binary(max_size=700)), st.integers(0, 70_000))
def test_the_sum_of_parts_is_that_of_the_whole(parts: list[bytes], more: int) -> None:
    whole, crc = b"", 0
    for part in (*parts, bytes(more), b"x" * more):
        whole, crc = whole + part, followed(crc, crc32(part), len(part))
    assert crc == crc32(whole)


def series(answer: HTTPResponse) -> Series:
    assert answer.code == 200, answer.body
    body = answer.body
    if answer.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    text = body.decode()
    if "openmetrics" in answer.headers["Content-Type"]:
        assert text.endswith("# EOF\n")
        return openmetrics_series(text)
    return text_series(text)


async def scrape(service: Serving, query: str = "", **fields: str) -> Series:
    return series(await service.ask(f"/api/metrics{query}", **fields))


def own(read: Series) -> Series:
    """Give what is the service's own: a part of it changes with every scrape."""
    return {key: value for key, value in read.items() if of(key[0]) in OWN}


def of(sample: str) -> str:
    """Name the family of a sample."""
    for suffix in ("_bucket", "_count", "_sum"):
        if sample.removesuffix(suffix) in OWN:
            return sample.removesuffix(suffix)
    return sample


def grid(read: Series) -> Series:
    return {key: value for key, value in read.items() if of(key[0]) not in OWN}


@pytest.mark.parametrize("accept", ["text/plain", OPENMETRICS])
@pytest.mark.parametrize("coding", ["gzip", "identity"])
async def test_parts_make_the_whole(service: Serving, accept: str, coding: str) -> None:
    fields = {"Accept": accept, "Accept_Encoding": coding}
    whole = await scrape(service, **fields)
    of_grid = await scrape(service, "?part=grid", **fields)
    assert of_grid == grid(whole)
    mine = await scrape(service, "?part=service", **fields)
    assert own(mine) == mine
    assert set(mine) >= set(own(whole))
    pieces = [await scrape(service, f"?agent={agent}&part=grid", **fields) for agent in AGENTS]
    pieces.append(await scrape(service, "?part=common", **fields))
    assert sum(map(len, pieces)) == len(of_grid), "none comes twice"
    assert {key: value for piece in pieces for key, value in piece.items()} == of_grid


async def test_an_agents_part_is_its_own_alone(service: Serving) -> None:
    read = await scrape(service, "?agent=vocms0281")
    assert {dict(labels).get("agent") for _, labels in read} == {"vocms0281"}
    both = await scrape(service, "?agent=vocms0281&agent=vocms0282")
    assert {dict(labels).get("agent") for _, labels in both} == {"vocms0281", "vocms0282"}
    assert await scrape(service, "?agent=vocms0282,vocms0281") == both


async def test_what_is_common_is_of_no_agent(service: Serving) -> None:
    read = await scrape(service, "?part=common")
    assert not [labels for _, labels in read if dict(labels).get("agent")]
    assert read["rcmon_cycle_start_timestamp_seconds", frozenset()] == NOW - 12
    assert {dict(labels)["site"] for name, labels in read if name == "rcmon_site_info"} == set(SITES)
    # findings are of agents and of all
    assert {name for name, _ in read} & {"rcmon_findings"}


async def test_families_and_collectors_by_name(service: Serving) -> None:
    whole = grid(await scrape(service))
    one = await scrape(service, "?collect[]=rcmon_site_running_jobs&part=grid")
    assert one == {key: value for key, value in whole.items() if key[0] == "rcmon_site_running_jobs"}
    some = await scrape(service, f"?{quote('collect[]')}=tasks&collect[]=rcmon_site_state&agent=vocms0281")
    assert {name for name, _ in some} >= {"rcmon_task_max_slots", "rcmon_task_jobs", "rcmon_site_state"}
    assert all(name.startswith("rcmon_task_") or name == "rcmon_site_state" for name, _ in some)
    mixed = await scrape(service, "?collect[]=cycle&collect[]=rcmon_build_info")
    assert {name for name, _ in mixed} >= {"rcmon_cycle_duration_seconds", "rcmon_build_info"}
    assert not any(name.startswith(("rcmon_site", "rcmon_http")) for name, _ in mixed)
    alone = await scrape(service, "?part=service&collect[]=process")
    assert {name for name, _ in alone} == {"process_cpu_seconds_total", "process_start_time_seconds"}


async def test_what_is_known_and_has_nothing_is_empty(service: Serving) -> None:
    answer = await service.ask("/api/metrics?collect[]=rcmon_quarantined_sites", Accept=OPENMETRICS)
    assert (answer.code, answer.body) == (200, b"# EOF\n")


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("part=all", ("part", "grid, common, service")),
        ("agent=nobody", ("agent", "one of cmsgwms-submit4, vocms0281, vocms0282")),
        (
            "collect[]=cpu",
            ("collect[]", "sites, tasks, why, drift, agents, cycle, overrides, service, process"),
        ),
        ("part=service&collect[]=sites", ("collect[]", "a collector (service, process)")),
        ("part=service&agent=vocms0281", ("agent", "part=service")),
        ("part=common&agent=vocms0281", ("agent", "part=common")),
        ("name[]=up", ("name[]", "part, agent, collect[]")),
        ("part=grid&part=service", ("part", "one value, not 2")),
    ],
)
async def test_what_there_is_not_is_refused_with_what_there_is(
    service: Serving, query: str, named: tuple[str, str]
) -> None:
    answer = await service.ask(f"/api/metrics?{query}")
    assert answer.code == 400
    detail = json.loads(answer.body)["detail"]
    assert named[0] in detail
    assert named[1] in detail


async def test_before_the_first_snapshot_there_is_the_services_part_alone(empty_service: Serving) -> None:
    assert await scrape(empty_service, "?part=service")
    for query in ("part=grid", "agent=a", "part=common", "collect[]=sites"):
        answer = await empty_service.ask(f"/api/metrics?{query}")
        assert (answer.code, answer.headers["Retry-After"]) == (503, "5")
    assert (await empty_service.ask("/api/http_sd")).code == 503


async def test_a_newer_snapshots_pieces_are_given_at_once(service: Serving) -> None:
    query = "?agent=vocms0281&collect[]=rcmon_agent_polled_timestamp_seconds"
    key = ("rcmon_agent_polled_timestamp_seconds", labelled(agent="vocms0281"))
    first = await service.ask(f"/api/metrics{query}")
    again = await service.ask(f"/api/metrics{query}", If_None_Match=first.headers["ETag"])
    assert again.code == 304
    await service.publish(make_snapshot(started=NOW + 48, seed=9))
    second = await service.ask(f"/api/metrics{query}", If_None_Match=first.headers["ETag"])
    assert (series(first)[key], series(second)[key]) == (NOW - 12, NOW + 48)


async def test_etags_differ_by_what_is_chosen(service: Serving) -> None:
    asked = ("agent=vocms0281", "agent=vocms0282", "part=common", "part=grid", "part=grid&collect[]=sites")
    tags = [(await service.ask(f"/api/metrics?{query}")).headers["ETag"] for query in asked]
    assert len(set(tags)) == len(tags)


async def test_targets_name_every_part_once(service: Serving) -> None:
    answer = await service.ask("/api/http_sd")
    assert answer.headers["Content-Type"] == "application/json"
    here = [f"localhost:{service.port}"]
    assert json.loads(answer.body) == [
        *(
            {"targets": here, "labels": {"__param_part": "grid", "__param_agent": agent, "instance": agent}}
            for agent in AGENTS
        ),
        {"targets": here, "labels": {"__param_part": "common", "instance": "common"}},
        {"targets": here, "labels": {"__param_part": "service"}},
    ]


async def test_targets_need_the_role_reader(service: Serving) -> None:
    assert (await service.ask("/api/http_sd", "stranger")).code == 403


@pytest.mark.parametrize(
    ("asked", "address"),
    [("grid.example.org", "grid.example.org:443"), ("[::1]", "[::1]:443"), ("[::1]:5000", "[::1]:5000")],
)
def test_targets_are_where_it_was_asked_and_replicas_where_they_are(asked: str, address: str) -> None:
    agent, common, own = targets(asked, ["a"], ["one:5000", "two:5000"])
    assert agent.targets == common.targets == (address,)
    assert own.targets == ("one:5000", "two:5000")


def test_every_collector_of_the_services_own_is_whole() -> None:
    assert len(FAMILIES) == len(OWN)
    assert MEDIA_TYPES.keys() == {"text", "openmetrics"}

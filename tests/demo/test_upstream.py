"""The demo's upstreams say what the simulated grid is, in the shapes of the real ones."""

import asyncio
import json
import os
import threading

import pytest
from tornado.httpclient import AsyncHTTPClient

from rcmon.collector import clock
from rcmon.collector.cycle import Cycle
from rcmon.demo import keep_moving, prepare
from rcmon.demo.agents import AGENTS, STUBBORN_SITES
from rcmon.demo.odd import ODD_AGENTS, TWICE
from rcmon.demo.odd.upstream import EVERY_SITE
from rcmon.demo.serving import SECOND_CATALOGUE, STATS, Documents, listen, serve
from rcmon.demo.simulation import Simulation
from rcmon.demo.sites import SITES
from rcmon.demo.upstream import HELD_BY_HAND, NEW_STORAGE, TEAM, Known, ads, board, names
from rcmon.model import Snapshot, Upstream
from rcmon.sources.config import build_sources, load_sources

NOW = 1_780_000_000
NAMES = {site.name for site in SITES}


def statuses(answer: bytes) -> dict[str, str]:
    hits = json.loads(answer)["responses"][0]["hits"]["hits"]
    return {hit["_source"]["data"]["name"]: hit["_source"]["data"]["prod_status"] for hit in hits}


def test_the_board_has_every_site_and_the_state_that_it_truly_is_in() -> None:
    told = board(NOW, {"T2_CH_CERN": Known("Draining", NOW - 5), HELD_BY_HAND: Known("Down", NOW)}, NOW - 99)
    found = {name: status for name, status in statuses(told["sts15min"]).items() if name in NAMES}
    assert set(found) == NAMES
    assert {name: status for name, status in found.items() if status != "enabled"} == {"T2_CH_CERN": "drain"}


def test_the_catalogue_has_a_storage_that_no_agent_knows() -> None:
    rows = json.loads(names()["data-processing"])["result"]
    more = {row[0] for row in rows} - {pnn for site in SITES for pnn in site.pnns}
    assert more - {site.name for site in EVERY_SITE} == {f"{NEW_STORAGE}_Tape"}


def test_ads_are_of_jobs_that_the_batch_system_has(simulation: Simulation) -> None:
    simulation.step(NOW)
    (moving, *_) = simulation._agents.values()
    found = json.loads(ads(moving.world.jobs.values()))
    assert {ad["JobStatus"] for ad in found} <= {1, 2, 5, 7}
    running = [ad for ad in found if ad["JobStatus"] == 2]
    assert running
    assert all(ad["MachineAttrGLIDEIN_CMSSite0"] in ad["DESIRED_Sites"].split(",") for ad in running)


@pytest.fixture
def simulation(directory: object) -> "object":
    made = Simulation(directory, "test")  # type: ignore[arg-type]
    yield made
    made.close()


async def test_who_asks_before_the_first_step_waits_for_it() -> None:
    listener, documents, http_client = listen(), Documents(), AsyncHTTPClient()
    server = serve(listener.descriptor, documents)
    try:
        asked = http_client.fetch(f"http://127.0.0.1:{listener.port}{STATS}", request_timeout=240)
        await asyncio.sleep(0.1)
        documents.current = {(STATS, ""): b"{}"}
        assert (await asked).body == b"{}"
        closed = await http_client.fetch(
            f"http://127.0.0.1:{listener.port}{SECOND_CATALOGUE}?preset=site-names", raise_error=False
        )
        assert closed.code == 503
    finally:
        server.stop()
        os.close(listener.descriptor)


async def test_the_collector_reads_them_as_the_real_ones(tmp_path: object) -> None:
    demo = prepare(tmp_path)  # type: ignore[arg-type]
    simulation, stop, ready = demo.simulation(), asyncio.Event(), asyncio.Event()
    assert simulation is not None
    assert demo.upstream is not None
    demo.build()
    moving = asyncio.create_task(keep_moving(simulation, demo.upstream, stop, ready.set))
    cycle = Cycle(build_sources(load_sources(demo.sources_file)), 3600.0, 3600.0)
    try:
        await asyncio.to_thread(told, simulation)
        snapshot, _ = await cycle.run(clock.read(), lambda _: None)
    finally:
        await cycle.close()
        stop.set()
        await moving
        os.close(demo.upstream)
        os.close(demo.lock)
    check(snapshot)


def told(simulation: Simulation) -> None:
    while not simulation.documents.current:
        threading.Event().wait(0.05)


def check(snapshot: Snapshot) -> None:
    assert [source.error for source in snapshot.sources] == [None] * len(snapshot.sources)
    said: Upstream = snapshot.upstream()
    assert said.sites is not None
    assert said.names is not None
    assert set(said.sites) > NAMES
    assert set(said.names) > NAMES
    assert said.sites[HELD_BY_HAND].manual is not None
    assert {*(agent.name for agent in (*AGENTS, *ODD_AGENTS)), TWICE} == set(snapshot.agents)
    assert said.reports is not None
    assert {name for name, report in said.reports.items() if report.team == TEAM} == {
        agent.name for agent in AGENTS
    }
    assert all(said.sites[name].status == "enabled" for name in STUBBORN_SITES)

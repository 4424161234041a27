"""The demo holds one example of each reason and each finding."""

import asyncio
import os
from pathlib import Path

import pytest

from rcmon.collector.collector import Collector
from rcmon.collector.findings import KINDS
from rcmon.collector.overridden import Overridden
from rcmon.collector.publisher import Publisher
from rcmon.collector.steering import Steersman
from rcmon.demo import prepare
from rcmon.demo.databases import build_databases
from rcmon.demo.demo import NOW_AND_THEN, SEED
from rcmon.demo.people import People
from rcmon.demo.serving import serve
from rcmon.model import Snapshot
from rcmon.rules.judging import judge
from rcmon.rules.reasons import REASONS
from rcmon.sources.config import build_sources, load_sources
from rcmon.steering import follow_control
from rcmon.store import Store
from rcmon.store.about import DEMO
from rcmon.store.pruning import Ages
from tests.collector.steady import Steady
from tests.demo.conftest import NOW

INTERVAL = 60.0
CYCLES = (0, 60, 120, 240, 600, 1200, 1800, 2400, 2760, 2820, 2880)
"""When, seconds after the start: two kinds of findings are told when they hold for 45 minutes, five when
something changed once or four times."""
SET = 7200
"""Seconds by which the clock is set forward at the end, which is all that one kind still needs."""
LATE = {
    "agent_disobeys",
    "drain_flipped",
    "sites_down_at_once",
    "source_failing",
    "source_stale",
    "state_against_board",
    "state_disagreement",
    "state_flapping",
    "thresholds_collapsed",
    "upstream_quarantined",
}
BY_CLOCK = {"override_end_doubtful"}
"""What is there only while a clock that was set forward is doubted."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> list[Snapshot]:
    return asyncio.run(cycles(tmp_path_factory.mktemp("each")))


async def cycles(directory: Path) -> list[Snapshot]:
    """Collect in the demo's own world, by a clock that is the test's; in the last cycle it was set."""
    demo = prepare(directory)
    build_databases(demo.directory, SEED, NOW)
    simulation = demo.simulation()
    assert simulation is not None
    assert demo.upstream is not None
    server = serve(demo.upstream, simulation.documents)
    store = Store(f"sqlite:///{directory}/rcmon.sqlite", DEMO)
    await store.migrate()
    people = People(store)
    cycle = Steady(build_sources(load_sources(demo.sources_file)), INTERVAL, 3600.0, budget=1.0)
    publisher = Publisher(store, ages=Ages(86400.0, 86400.0), holder="one", running=lambda: cycle.at)
    collector = Collector(
        cycle,
        publisher,
        lambda _snapshot, _documents: [],
        overridden=Overridden(store),
        steering=Steersman(store, follow_control(demo.control_file)),
    )
    snapshots = []
    try:
        for passed in (*CYCLES, CYCLES[-1] + INTERVAL):
            if passed > CYCLES[-1]:
                cycle.ahead = SET
            simulation.step(NOW + passed)
            await people.act(NOW + passed)
            snapshot = await collector.step(NOW + passed + cycle.ahead)
            assert snapshot is not None
            snapshots.append(snapshot)
    finally:
        await collector.close()
        await store.close()
        server.stop()
        simulation.close()
        os.close(demo.upstream)
        os.close(demo.lock)
    return snapshots


def reasons(snapshot: Snapshot) -> set[str | None]:
    return {
        cell.reason
        for places in judge(snapshot).values()
        for place in places.values()
        for cell in place.cells
    }


def test_all_sources_answer_but_for_one(seen: list[Snapshot]) -> None:
    errors = {source.name: source.error for snapshot in seen[:-1] for source in snapshot.sources}
    assert {name for name, error in errors.items() if error} == {NOW_AND_THEN}
    assert all(source.up for snapshot in seen[:2] for source in snapshot.sources)


def test_each_reason_is_there_from_the_first_cycle_and_stays(seen: list[Snapshot]) -> None:
    for snapshot in seen[:-1]:
        assert set(REASONS) - reasons(snapshot) == set()


def test_each_finding_is_there(seen: list[Snapshot]) -> None:
    told = {finding.kind for finding in seen[-2].findings}
    assert set(KINDS) - told == BY_CLOCK


def test_what_a_clock_makes_doubtful_is_there_once_it_is_set(seen: list[Snapshot]) -> None:
    told = {finding.kind for finding in seen[-1].findings}
    assert told >= BY_CLOCK


def test_all_but_what_takes_time_is_told_in_the_second_cycle(seen: list[Snapshot]) -> None:
    told = {finding.kind for finding in seen[1].findings}
    assert {finding.kind for finding in seen[-2].findings} - told == LATE

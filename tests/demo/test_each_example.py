"""The demo holds one example of each reason and each finding, but for what such a world cannot hold."""

import asyncio
import os
from pathlib import Path

import pytest

from rcmon.collector.clock import Moment
from rcmon.collector.cycle import Cycle
from rcmon.collector.findings import KINDS
from rcmon.demo import prepare
from rcmon.demo.databases import build_databases
from rcmon.demo.demo import SEED
from rcmon.demo.serving import serve
from rcmon.model import Snapshot
from rcmon.rules.judging import judge
from rcmon.rules.reasons import REASONS
from rcmon.sources.config import build_sources, load_sources
from tests.demo.conftest import NOW

INTERVAL = 60.0
CYCLES = (0, 60, 120, 240, 600, 1200, 1800, 2400, 2760, 2820, 2880)
"""When, seconds after the start: two kinds of findings are told when they hold for 45 minutes, four when
something changed once or four times."""
LATE = {
    "drain_flipped",
    "sites_down_at_once",
    "state_against_board",
    "state_disagreement",
    "state_flapping",
    "thresholds_collapsed",
}

NOT_HERE = {
    "agent_claimed_twice": "an agent is called as its source, of which there is one of a name",
    "agent_disobeys": "only an agent that is steered can",
    "agent_not_asking": "only an agent that is steered can",
    "backlog_large": "a hundred thousand jobs would be read in each cycle",
    "override_end_doubtful": "an operator set an override, and a clock was set",
    "override_ending": "an operator set an override",
    "override_ending_soon": "an operator set an override",
    "source_failing": "a source that is down makes the status say that rcmon cannot do its work",
    "source_stale": "a source that answered does not any more",
    "ssb_answer_full": "the board's answer would be 5000 rows",
    "ssb_cores_all_zero": "the whole board is wrong, so that nothing else in it would be right",
    "ssb_none_enabled": "the whole board is wrong, so that nothing else in it would be right",
    "upstream_quarantined": "an upstream says something else at once than it did",
}
"""Kinds of findings that no world holds which works and which nobody steers, and why."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> list[Snapshot]:
    return asyncio.run(cycles(tmp_path_factory.mktemp("each")))


async def cycles(directory: Path) -> list[Snapshot]:
    """Poll the demo's own sources in its own world, by a clock that is the test's."""
    demo = prepare(directory)
    build_databases(demo.directory, SEED, NOW)
    simulation = demo.simulation()
    assert simulation is not None
    assert demo.upstream is not None
    server = serve(demo.upstream, simulation.documents)
    cycle = Cycle(build_sources(load_sources(demo.sources_file)), INTERVAL, 3600.0, budget=1.0)
    snapshots = []
    try:
        for passed in CYCLES:
            simulation.step(NOW + passed)
            snapshot, _ = await cycle.run(Moment(NOW + passed, float(passed)), lambda _: None)
            snapshots.append(snapshot)
    finally:
        await cycle.close()
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


def test_all_sources_answer(seen: list[Snapshot]) -> None:
    assert {
        source.name: source.error for snapshot in seen for source in snapshot.sources if source.error
    } == {}


def test_each_reason_is_there_from_the_first_cycle_and_stays(seen: list[Snapshot]) -> None:
    for snapshot in seen:
        assert set(REASONS) - reasons(snapshot) == set()


def test_each_finding_is_there_but_for_what_this_world_cannot_hold(seen: list[Snapshot]) -> None:
    told = {finding.kind for finding in seen[-1].findings}
    assert set(KINDS) - told == set(NOT_HERE)


def test_all_but_what_takes_time_is_told_in_the_second_cycle(seen: list[Snapshot]) -> None:
    told = {finding.kind for finding in seen[1].findings}
    assert {finding.kind for finding in seen[-1].findings} - told == LATE

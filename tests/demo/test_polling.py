import asyncio
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rcmon.collector.findings import findings
from rcmon.collector.merge import merge
from rcmon.collector.polling import Heard
from rcmon.demo import Demo, agents, prepare
from rcmon.model import JOB_STATES, Agent, Snapshot
from rcmon.sources.base import Poll, Source, poll_one
from rcmon.sources.config import build_sources, load_sources

AGENTS = {agent.name for agent in agents.AGENTS}
TASKS = {"Production", "Processing", "Merge", "Cleanup", "Harvesting", "LogCollect", "Skim"}
EXPECTED = {
    "batch_status_unlisted",
    "job_active_twice",
    "site_cms_name_missing",
    "site_plugin_missing",
    "site_slots_missing",
    "site_without_thresholds",
    "state_disagreement",
    "threshold_missing",
    "threshold_twice",
    "worker_unhealthy",
}


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    made = prepare(tmp_path)
    made.build()
    yield made
    os.close(made.lock)


class Fast:
    """A clock on which five seconds are a thousandth, and a stop. It stands after an hour."""

    HOUR = 720

    def __init__(self) -> None:
        self.now = time.time()
        self.steps = 0
        self.stepped = threading.Condition()
        self.stopped = threading.Event()

    def wait(self, timeout: float) -> bool:
        with self.stepped:
            self.steps += 1
            self.now += 5 if self.steps < self.HOUR else 0
            self.stepped.notify_all()
        return self.stopped.wait(0.001)

    def clock(self) -> float:
        return self.now

    def pass_time(self, steps: int) -> None:
        """Wait until the simulation has made so many steps more, however fast it is."""
        with self.stepped:
            until = self.steps + steps
            assert self.stepped.wait_for(lambda: self.steps >= until, timeout=120)


@pytest.fixture
def moving(demo: Demo) -> Iterator[Fast]:
    simulation = demo.simulation()
    assert simulation is not None
    fast = Fast()
    thread = threading.Thread(target=simulation.run, args=(fast, fast.clock))
    thread.start()
    yield fast
    fast.stopped.set()
    thread.join(120)
    assert not thread.is_alive()


def agents_of(demo: Demo) -> list[Source]:
    """Make the moving agents' databases alone: nobody serves the upstreams here."""
    every = build_sources(load_sources(demo.sources_file))
    return [one for one in every if one.kind == "wmagent" and one.name in AGENTS]


async def poll(sources: list[Source], now: float) -> list[Poll]:
    return await asyncio.gather(*(poll_one(source, now) for source in sources))


def conclude(polls: list[Poll], previous: Snapshot | None) -> Snapshot:
    heard = [Heard(poll.source, poll.kind, (poll,)) for poll in polls]
    return merge(heard, previous, polls[0].started, 0.1, interval=60.0, stale_after=3600.0)


def check(agent: Agent) -> None:
    """Hold that one poll saw one moment, in which everything adds up."""
    assert agent.jobs_by_state is not None
    assert agent.executing_by_task is not None
    assert agent.batch_active is not None
    assert set(agent.jobs_by_state) == set(JOB_STATES)
    assert set(agent.executing_by_task) == TASKS
    executing = agent.jobs_by_state["executing"]
    assert sum(agent.executing_by_task.values()) == executing > 1000
    assert sum(agent.batch_active.values()) >= executing
    seen = [site.jobs for site in agent.sites.values()]
    total = sum((jobs.pending + jobs.running + jobs.error + jobs.complete + jobs.unknown) for jobs in seen)
    assert total == executing
    for site in agent.sites.values():
        if site.running_slots is not None and site.pending_slots is not None:
            assert site.jobs.running <= site.running_slots
            assert site.jobs.pending <= site.pending_slots
    assert sum(bool(site.backlog) for site in agent.sites.values()) > 50


async def test_a_real_source_reads_the_databases_while_they_move(demo: Demo, moving: Fast) -> None:
    sources = agents_of(demo)
    snapshot = None
    states = []
    for _ in range(8):
        polls = await poll(sources, time.time())
        assert [each.error for each in polls] == [None] * 3
        snapshot = conclude(polls, snapshot)
        assert set(snapshot.agents) == AGENTS
        for agent in snapshot.agents.values():
            check(agent)
            states.append(agent.jobs_by_state)
        await asyncio.to_thread(moving.pass_time, 5)
    for source in sources:
        await source.close()
    assert len({str(state) for state in states}) == len(states), "an agent stood still"


async def test_quality_has_something_to_show_from_the_start(demo: Demo) -> None:
    sources = agents_of(demo)
    polls = await poll(sources, time.time())
    found = findings(conclude(polls, None))
    for source in sources:
        await source.close()
    assert {finding.kind for finding in found} >= EXPECTED
    assert len(found) < 40

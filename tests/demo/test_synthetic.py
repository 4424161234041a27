import zlib
from collections import Counter

import pytest

from rcmon.demo.synthetic import SyntheticSource, parse_shape, synthetic_sources
from rcmon.errors import ConfigError
from rcmon.model import JOB_STATES, Agent, Snapshot
from rcmon.render import render

NOW = 1_780_000_000.0


async def poll(source: SyntheticSource, now: float = NOW) -> Agent:
    batch = await source.poll(now)
    assert (batch.source, batch.kind, batch.polled_at) == (source.name, "synthetic", now)
    (agent,) = batch.agents
    return agent


@pytest.mark.parametrize(
    ("text", "shape"),
    [("150x1", (150, 1)), ("1000x10", (1000, 10)), ("1x1", (1, 1)), ("5000x100", (5000, 100))],
)
def test_shapes(text: str, shape: tuple[int, int]) -> None:
    assert parse_shape(text) == shape


@pytest.mark.parametrize(
    "text",
    ["", "150", "150x", "x10", "0x1", "1x0", "-1x1", "150X10", "150 x 10", "5001x1", "1x101", "1\u0665x1"],
)
def test_other_shapes_are_refused_with_their_value_and_what_is_right(text: str) -> None:
    with pytest.raises(ConfigError, match="--synthetic: ") as caught:
        parse_shape(text)
    assert repr(text) in str(caught.value)
    assert "150x10" in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_agent_has_the_asked_size_and_is_consistent() -> None:
    agent = await poll(SyntheticSource("big", 300, "seed"))
    assert len(agent.sites) == 300
    assert list(agent.sites) == sorted(agent.sites)
    assert all(len(site.tasks) == 7 for site in agent.sites.values())
    assert agent.jobs_by_state is not None
    assert set(agent.jobs_by_state) == set(JOB_STATES)
    jobs = [site.jobs for site in agent.sites.values()]
    assert agent.jobs_by_state["executing"] == sum(each.pending + each.running for each in jobs)
    assert agent.executing_by_task is not None
    assert sum(agent.executing_by_task.values()) == sum(each.running for each in jobs)
    for site in agent.sites.values():
        assert site.running_slots is not None
        assert site.jobs.running <= 1.3 * site.running_slots
        assert site.jobs.pending < site.pending_slots * 1.3 + 20  # type: ignore[operator]


async def test_numbers_move_and_repeat_for_the_same_time() -> None:
    one, again = SyntheticSource("big", 100, "seed"), SyntheticSource("big", 100, "seed")
    assert await poll(one) == await poll(again)
    later = await poll(one, NOW + 60)
    moved = sum(later.sites[name].jobs != site.jobs for name, site in (await poll(one)).sites.items())
    assert moved > 50
    assert (await poll(SyntheticSource("other", 100, "seed"))).sites != (await poll(one)).sites


async def test_states_change_now_and_then() -> None:
    source = SyntheticSource("big", 200, "seed")
    states: Counter[str | None] = Counter()
    away: set[str] = set()
    for hour in range(10):
        agent = await poll(source, NOW + 3600 * hour)
        states.update(site.state for site in agent.sites.values())
        away |= {site.name for site in agent.sites.values() if site.state != "Normal"}
    assert set(states) == {"Normal", "Draining", "Down"}
    assert states["Normal"] > 0.9 * states.total()
    assert len(away) > 20


async def test_agents_agree_on_the_states_of_sites() -> None:
    one, other = [await poll(source) for source in synthetic_sources((200, 2), "seed")]
    assert {name: site.state for name, site in one.sites.items()} == {
        name: site.state for name, site in other.sites.items()
    }
    assert one.sites != other.sites


@pytest.mark.parametrize(("shape", "series"), [((150, 1), 10_000), ((150, 10), 100_000)])
async def test_150_sites_make_about_10_000_series_for_each_agent(shape: tuple[int, int], series: int) -> None:
    agents = [await poll(source) for source in synthetic_sources(shape, "seed")]
    snapshot = Snapshot(NOW, 0.1, 60.0, agents={agent.name: agent for agent in agents})
    body = next(document for document in render(snapshot) if document.key == "metrics.text").body
    lines = zlib.decompressobj(-15).decompress(body).splitlines()
    count = sum(not line.startswith(b"#") for line in lines)
    assert series <= count < 1.05 * series

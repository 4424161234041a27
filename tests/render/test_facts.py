"""The facts say how the agents do: which components are down, and since when, and how old that is."""

from msgspec import msgpack
from msgspec.structs import replace

from rcmon.documents import keys
from rcmon.documents.deflated import inflate
from rcmon.documents.health import AgentHealth, DownComponent
from rcmon.documents.shapes import Facts
from rcmon.model import Agent, Component, Jobs, Snapshot, SourceState, Worker
from tests.render.decoding import Documents, rendered
from tests.render.factory import START, snapshot_of


def facts(documents: Documents) -> Facts:
    return msgpack.decode(inflate(documents[keys.FACTS]), type=Facts)


def worker(name: str, problem: str | None = None, heard: float | None = START) -> Worker:
    return Worker(name, "Running", heard, 60.0, 1.0, problem=problem)


def test_what_the_snapshot_says(documents: Documents, snapshot: Snapshot) -> None:
    read = facts(documents)
    assert replace(read, health=()) == Facts(
        START, 1.5, 60, snapshot.sources, tuple(snapshot.agents), len(snapshot.findings), overrides=()
    )
    for health, agent in zip(read.health, snapshot.agents.values(), strict=True):
        assert (health.name, health.polled_at, health.stale) == (agent.name, agent.polled_at, False)
        assert (health.sites, health.components) == (len(agent.sites), len(agent.components or ()))
        assert health.jobs == sum((site.jobs for site in agent.sites.values()), Jobs())


def test_a_component_is_down_with_any_of_its_workers() -> None:
    components = (
        Component("A", 1, 7200, (worker("a1"), worker("a2", "in state Error", START - 9))),
        Component("B", 1, 7200, (worker("b1", "has never reported", None), worker("b2", "last reported …"))),
        Component("C", 1, 7200, (worker("c1"),)),
        Component("without workers", 1, 7200),
    )
    (health,) = facts(rendered(snapshot_of(Agent("a", START, components=components)))).health
    assert health.components == 3
    assert health.down == (
        DownComponent("A", "worker a2: in state Error", START - 9),
        DownComponent("B", "worker b1: has never reported (and 1 more)", None),
    )
    assert not health.dead


def test_an_agent_is_dead_when_nothing_of_it_works() -> None:
    bad = Component("A", 1, 7200, (worker("a", "in state Error"),))
    source = SourceState("a", "wmagent", up=False, stale=True, last_success=START, duration=1, error="x")
    (dead,) = facts(rendered(snapshot_of(Agent("a", START, components=(bad,)), sources=(source,)))).health
    assert dead.dead
    assert dead.stale
    assert not AgentHealth("a", START, False, None, 0, (), 0, Jobs()).dead  # nothing is known of it

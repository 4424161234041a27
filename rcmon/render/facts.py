"""The facts of a snapshot, for the status and the page."""

from collections.abc import Iterator, Mapping

from msgspec import msgpack

from rcmon.documents import keys
from rcmon.documents.deflated import complete
from rcmon.documents.health import AgentHealth, DownComponent
from rcmon.documents.shapes import Facts
from rcmon.model import Agent, Component, Document, Jobs, Snapshot
from rcmon.render.freshness import is_stale
from rcmon.render.sites import MSGPACK


def facts_document(snapshot: Snapshot, previous: Mapping[str, Document]) -> Iterator[Document]:
    """Write what the status and the page say of a snapshot."""
    facts = Facts(
        started=snapshot.started,
        duration=snapshot.duration,
        interval=snapshot.interval,
        sources=snapshot.sources,
        agents=tuple(snapshot.agents),
        findings=len(snapshot.findings),
        health=tuple(agent_health(agent, snapshot) for agent in snapshot.agents.values()),
        overrides=snapshot.overrides,
    )
    yield complete(keys.FACTS, MSGPACK, msgpack.encode(facts), previous)


def agent_health(agent: Agent, snapshot: Snapshot) -> AgentHealth:
    """Tell how an agent does: as WMCore's heartbeat, a component is down where any worker of it is bad."""
    working = [component for component in agent.components or () if component.workers]
    return AgentHealth(
        name=agent.name,
        polled_at=agent.polled_at,
        stale=is_stale(agent, snapshot),
        drain=agent.drain,
        components=len(working),
        down=tuple(_down(working)),
        sites=len(agent.sites),
        jobs=sum((site.jobs for site in agent.sites.values()), Jobs()),
    )


def _down(components: list[Component]) -> Iterator[DownComponent]:
    for component in components:
        bad = [(worker, worker.problem) for worker in component.workers if worker.problem is not None]
        if bad:
            worker, problem = bad[0]
            more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
            yield DownComponent(component.name, f"worker {worker.name}: {problem}{more}", worker.last_updated)

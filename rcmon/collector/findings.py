"""Findings: what in a snapshot needs an operator's attention, and why. Pure."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from rcmon.model import Finding, Snapshot, SourceState
from rcmon.sources import FINDINGS

STATE_DISAGREEMENT = "state_disagreement"
WORKER_UNHEALTHY = "worker_unhealthy"
AGENT_CLAIMED_TWICE = "agent_claimed_twice"
SOURCE_FAILING = "source_failing"

KINDS: Mapping[str, str] = MappingProxyType(
    {
        STATE_DISAGREEMENT: "Agents hold a site in different states.",
        WORKER_UNHEALTHY: "A worker thread of an agent is in state Error or has not reported for too long.",
        AGENT_CLAIMED_TWICE: "Several sources claim the same agent; the first configured is taken.",
        SOURCE_FAILING: "The newest poll of a source failed.",
        **FINDINGS,
    }
)
"""Every kind of finding there is and what it means, in one sentence each."""


def findings(snapshot: Snapshot) -> tuple[Finding, ...]:
    """Find what is wrong over all agents, and list it with what the polls found in each; sorted."""
    found = [
        *_failing(snapshot),
        *_claimed_twice(snapshot),
        *_disagreeing(snapshot),
        *_unhealthy(snapshot),
        *(finding for agent in snapshot.agents.values() for finding in agent.findings),
    ]
    return tuple(sorted(found, key=_order))


def _order(finding: Finding) -> tuple[str, str, str, str, str]:
    return (
        finding.kind,
        finding.agent or "",
        finding.site or "",
        finding.task or "",
        finding.message,
    )


def _failing(snapshot: Snapshot) -> Iterator[Finding]:
    for source in snapshot.sources:
        if not source.up:
            yield Finding(SOURCE_FAILING, None, f"source {source.name}: {source.error} ({_data(source)})")


def _data(source: SourceState) -> str:
    """Say what a failing source's failure means for the snapshot."""
    if source.stale:
        return "its last data are shown"
    return "it has never succeeded" if source.last_success is None else "it has no data that are shown"


def _claimed_twice(snapshot: Snapshot) -> Iterator[Finding]:
    claims: dict[str, list[str]] = {}
    for source in snapshot.sources:
        for agent in source.agents:
            claims.setdefault(agent, []).append(source.name)
    for agent, sources in claims.items():
        if len(sources) > 1:
            message = f"claimed by the sources {', '.join(sources)}: taken from {sources[0]}"
            yield Finding(AGENT_CLAIMED_TWICE, agent, message, len(sources) - 1)


def _disagreeing(snapshot: Snapshot) -> Iterator[Finding]:
    for site in snapshot.sites.values():
        if len(site.states) > 1:
            held = "; ".join(f"{state} in {', '.join(agents)}" for state, agents in site.states.items())
            yield Finding(STATE_DISAGREEMENT, None, f"agents disagree on the state: {held}", site=site.name)


def _unhealthy(snapshot: Snapshot) -> Iterator[Finding]:
    for agent in snapshot.agents.values():
        for component in agent.components or ():
            for worker in component.workers:
                if worker.problem is not None:
                    message = f"{component.name}, worker {worker.name}: {worker.problem}"
                    yield Finding(WORKER_UNHEALTHY, agent.name, message)

"""The finding `worker_unhealthy`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind
from rcmon.model import Finding, Snapshot

NAME = "worker_unhealthy"


def find(snapshot: Snapshot) -> Iterator[Finding]:
    """List the workers with a problem."""
    for agent in snapshot.agents.values():
        for component in agent.components or ():
            for worker in component.workers:
                if worker.problem is not None:
                    message = f"{component.name}, worker {worker.name}: {worker.problem}"
                    yield Finding(NAME, agent.name, message)


WORKER_UNHEALTHY = FindingKind(
    NAME, "A worker thread of an agent is in state Error or has not reported for too long.", find
)

"""The finding `worker_unhealthy`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning

NAME = "worker_unhealthy"


def find(grounds: Grounds) -> Iterator[Finding]:
    """List the workers with a problem."""
    for agent in grounds.snapshot.agents.values():
        for component in agent.components or ():
            for worker in component.workers:
                if worker.problem is not None:
                    message = f"{component.name}, worker {worker.name}: {worker.problem}"
                    part = f"{component.name}/{worker.name}"
                    yield Finding(NAME, agent.name, message, part=part)


WORKER_UNHEALTHY = FindingKind(
    NAME,
    Meaning("A worker thread of an agent is in state Error or has not reported for too long.", "critical"),
    find,
)

"""The finding `backlog_large`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning

NAME = "backlog_large"
MOST = 100_000


def find(grounds: Grounds) -> Iterator[Finding]:
    """List the agents with too many jobs that are created and not submitted."""
    for agent in grounds.snapshot.agents.values():
        created = (agent.jobs_by_state or {}).get("created")
        if created is not None and created > MOST:
            yield Finding(NAME, agent.name, f"{created} jobs are created and not submitted", created)


BACKLOG_LARGE = FindingKind(
    NAME, Meaning("An agent has more than 100 000 jobs created that are not submitted.", "warning"), find
)

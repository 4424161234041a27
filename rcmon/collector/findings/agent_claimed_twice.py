"""The finding `agent_claimed_twice`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning

NAME = "agent_claimed_twice"


def find(grounds: Grounds) -> Iterator[Finding]:
    """List the agents that several sources claim."""
    claims: dict[str, list[str]] = {}
    for source in grounds.snapshot.sources:
        for agent in source.agents:
            claims.setdefault(agent, []).append(source.name)
    for agent, sources in claims.items():
        if len(sources) > 1:
            message = f"claimed by the sources {', '.join(sources)}: taken from {sources[0]}"
            yield Finding(NAME, agent, message, len(sources) - 1)


AGENT_CLAIMED_TWICE = FindingKind(
    NAME,
    Meaning(
        "Several sources claim the same agent; the first configured is taken.",
        "warning",
        at_once=True,
        of_old=True,
    ),
    find,
)

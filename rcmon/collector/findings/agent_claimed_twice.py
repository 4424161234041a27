"""The finding `agent_claimed_twice`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning

NAME = "agent_claimed_twice"


def find(grounds: Grounds) -> Iterator[Finding]:
    """List the agents that are read from the database of another, since a node has one agent."""
    hosts: dict[str, list[str]] = {}
    for name, agent in grounds.snapshot.agents.items():
        if agent.hostname:
            hosts.setdefault(agent.hostname.lower(), []).append(name)
    for host, (first, *others) in hosts.items():
        for name in others:
            message = f"its database says {host}, as that of {first} does: all there is counted twice"
            yield Finding(NAME, name, message)


AGENT_CLAIMED_TWICE = FindingKind(
    NAME,
    Meaning(
        "Two sources read the same agent: the host in its database is another's too, and its sites and jobs"
        " are counted twice.",
        "warning",
        at_once=True,
    ),
    find,
)

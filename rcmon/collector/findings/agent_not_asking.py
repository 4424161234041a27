"""The finding `agent_not_asking`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning

NAME = "agent_not_asking"


def find(grounds: Grounds) -> Iterator[Finding]:
    """List agents that are to obey and have not asked for half an hour."""
    for agent, since in grounds.snapshot.steered.silent.items():
        minutes = (grounds.now - since) / 60
        yield Finding(NAME, agent, f"it last asked {minutes:.0f} min ago, and should every 15")


AGENT_NOT_ASKING = FindingKind(
    NAME,
    Meaning(
        "An agent in mode control has not asked for 30 minutes: what is set here does not reach it.",
        "warning",
    ),
    find,
)

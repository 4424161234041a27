"""The finding `agent_not_asking`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning

NAME = "agent_not_asking"


def find(grounds: Grounds) -> Iterator[Finding]:
    """List agents that are to obey and have not asked for half an hour."""
    for agent, since in grounds.snapshot.steered.silent.items():
        if since is None:
            when = "at a time that the clock here has not reached yet"
        else:
            when = f"{(grounds.now - since) / 60:.0f} min ago"
        yield Finding(NAME, agent, f"it last asked {when}, and should every 15 min")


AGENT_NOT_ASKING = FindingKind(
    NAME,
    Meaning(
        "An agent in mode control has not asked for 30 minutes: what is set here does not reach it.",
        "warning",
    ),
    find,
)

"""The finding `drain_flipped`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning, Snapshot

NAME = "drain_flipped"


def find(grounds: Grounds) -> Iterator[Finding]:
    """List the agents that began or ended to drain in this cycle."""
    if grounds.previous is None:
        return
    for name, agent in grounds.snapshot.agents.items():
        earlier = grounds.previous.agents.get(name)
        before = _drain(name, grounds.previous, earlier.drain if earlier else None)
        drain = _drain(name, grounds.snapshot, agent.drain)
        if None not in (before, drain) and before != drain:
            yield Finding(NAME, name, "drains now" if drain else "drains no more")


def _drain(name: str, snapshot: Snapshot, own: bool | None) -> bool | None:  # noqa: FBT001 - as it is known
    """Tell whether an agent drains: as its source says, else its report."""
    report = (snapshot.upstream().reports or {}).get(name) if own is None else None
    return report.drain if report is not None else own


DRAIN_FLIPPED = FindingKind(
    NAME, Meaning("An agent's drain mode was turned on or off.", "info", at_once=True, lasts=3600.0), find
)

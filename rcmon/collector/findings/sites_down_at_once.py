"""The finding `sites_down_at_once`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning

NAME = "sites_down_at_once"
LEAST = 5
"""Fewer sites are no sign of one cause."""
_CLOSED = ("Down", "Aborted")


def find(grounds: Grounds) -> Iterator[Finding]:
    """List the agents in which more than a fifth of the sites went down in one cycle."""
    if grounds.previous is None:
        return
    for name, agent in grounds.snapshot.agents.items():
        earlier = grounds.previous.agents.get(name)
        went = [
            f"{site} from {before.state} to {seen.state}"
            for site, seen in sorted(agent.sites.items())
            if earlier is not None
            and (before := earlier.sites.get(site)) is not None
            and before.state not in (None, *_CLOSED)
            and seen.state in _CLOSED
        ]
        if len(went) >= LEAST and 5 * len(went) > len(agent.sites):
            message = f"{len(went)} of {len(agent.sites)} sites in one cycle: {', '.join(went[:3])}, ..."
            yield Finding(NAME, name, message, len(went))


SITES_DOWN_AT_ONCE = FindingKind(
    NAME,
    Meaning(
        "More than a fifth of an agent's sites went Down or Aborted in one cycle.",
        "critical",
        at_once=True,
        lasts=3600.0,
    ),
    find,
)

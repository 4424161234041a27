"""The finding `thresholds_collapsed`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning

NAME = "thresholds_collapsed"


def find(grounds: Grounds) -> Iterator[Finding]:
    """List the agents whose running slots fell by more than half in one cycle."""
    if grounds.previous is None:
        return
    for name, agent in grounds.snapshot.agents.items():
        earlier = grounds.previous.agents.get(name)
        pairs = [
            (before.running_slots, seen.running_slots)
            for site, seen in agent.sites.items()
            if earlier is not None and (before := earlier.sites.get(site)) is not None
        ]
        known = [(was, now) for was, now in pairs if was is not None and now is not None]
        was, now = sum(was for was, _ in known), sum(now for _, now in known)
        fallen = sum(now < was for was, now in known)
        if was > 0 and now * 2 < was:
            message = (
                f"running slots fell from {was} to {now} in one cycle, at {fallen} of {len(known)} sites"
            )
            yield Finding(NAME, name, message, fallen)


THRESHOLDS_COLLAPSED = FindingKind(
    NAME,
    Meaning(
        "An agent's running slots fell by more than half in one cycle.",
        "critical",
        at_once=True,
        lasts=3600.0,
    ),
    find,
)

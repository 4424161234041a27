"""The finding `state_disagreement`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning

NAME = "state_disagreement"


def find(grounds: Grounds) -> Iterator[Finding]:
    """List the sites that agents hold in different states."""
    for site in grounds.snapshot.sites.values():
        if len(site.states) > 1:
            held = "; ".join(f"{state} in {', '.join(agents)}" for state, agents in site.states.items())
            yield Finding(NAME, None, f"agents disagree on the state: {held}", site=site.name)


STATE_DISAGREEMENT = FindingKind(
    NAME, Meaning("Agents hold a site in different states, for 45 minutes.", "warning", after=2700.0), find
)

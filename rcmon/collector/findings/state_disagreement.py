"""The finding `state_disagreement`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind
from rcmon.model import Finding, Snapshot

NAME = "state_disagreement"


def find(snapshot: Snapshot) -> Iterator[Finding]:
    """List the sites that agents hold in different states."""
    for site in snapshot.sites.values():
        if len(site.states) > 1:
            held = "; ".join(f"{state} in {', '.join(agents)}" for state, agents in site.states.items())
            yield Finding(NAME, None, f"agents disagree on the state: {held}", site=site.name)


STATE_DISAGREEMENT = FindingKind(NAME, "Agents hold a site in different states.", find)

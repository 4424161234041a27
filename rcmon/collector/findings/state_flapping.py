"""The finding `state_flapping`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning

NAME = "state_flapping"
OFTEN = 4
"""Changes in a day."""


def find(grounds: Grounds) -> Iterator[Finding]:
    """List the sites whose state changed too often."""
    for agent, sites in grounds.snapshot.turns.items():
        for site, times in sites.items():
            if len(times) >= OFTEN:
                yield Finding(NAME, agent, f"changed its state {len(times)} times in a day", len(times), site)


STATE_FLAPPING = FindingKind(
    NAME, Meaning("A site's state changed four times or more in 24 hours.", "warning"), find
)

"""The finding `thresholds_zero`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning

NAME = "thresholds_zero"


def find(grounds: Grounds) -> Iterator[Finding]:
    """List the sites that are Normal and whose thresholds are all zero."""
    for agent in grounds.snapshot.agents.values():
        for site in agent.sites.values():
            slots = [task.max_slots for task in site.tasks.values() if task.max_slots is not None]
            if site.state == "Normal" and slots and not any(slots):
                message = f"is Normal, the thresholds of all {len(slots)} task types are zero"
                yield Finding(NAME, agent.name, message, len(slots), site.name)


THRESHOLDS_ZERO = FindingKind(
    NAME,
    Meaning("All thresholds of a site that is Normal are zero: the agent submits nothing to it.", "warning"),
    find,
)

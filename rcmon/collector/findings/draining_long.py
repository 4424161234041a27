"""The finding `draining_long`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds, Unjudged
from rcmon.model import Finding, Meaning

NAME = "draining_long"
LONGEST = 2 * 86400.0
"""Seconds."""


def find(grounds: Grounds) -> Iterator[Finding | Unjudged]:
    """List the sites that have been Draining for too long."""
    for agent in grounds.snapshot.agents.values():
        for site in agent.sites.values():
            if site.state != "Draining":
                continue
            if site.state_time is None:
                yield Unjudged(NAME, agent.name, site.name)
            elif grounds.now - site.state_time > LONGEST:
                days = (grounds.now - site.state_time) / 86400
                message = f"is Draining for {days:.1f} days, {site.jobs.running} jobs still run"
                yield Finding(NAME, agent.name, message, site=site.name)


DRAINING_LONG = FindingKind(
    NAME, Meaning("A site has been Draining for longer than two days.", "warning"), find
)

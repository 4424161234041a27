"""The finding `site_closed_running`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FEWEST, FindingKind, Grounds, Unjudged
from rcmon.model import Finding, Meaning

NAME = "site_closed_running"


def find(grounds: Grounds) -> Iterator[Finding | Unjudged]:
    """List the sites that are Down or Aborted and run jobs."""
    for agent in grounds.snapshot.agents.values():
        for site in agent.sites.values():
            if site.state not in ("Down", "Aborted"):
                continue
            running = site.jobs.running
            if running >= FEWEST:
                yield Finding(
                    NAME, agent.name, f"is {site.state} and runs {running} jobs", running, site.name
                )
            elif running:
                yield Unjudged(NAME, agent.name, site.name)


SITE_CLOSED_RUNNING = FindingKind(NAME, Meaning("Jobs run at a site that is Down or Aborted.", "info"), find)

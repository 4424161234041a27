"""The finding `pending_not_running`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FEWEST, FindingKind, Grounds, Unjudged
from rcmon.model import Finding, Meaning

NAME = "pending_not_running"


def find(grounds: Grounds) -> Iterator[Finding | Unjudged]:
    """List the sites that are Normal, with jobs pending, of which none runs."""
    for site in grounds.snapshot.sites.values():
        if site.state != "Normal" or site.jobs.running or not site.jobs.pending:
            continue
        if site.jobs.pending < FEWEST:
            yield Unjudged(NAME, None, site.name)
        else:
            message = f"is Normal, {site.jobs.pending} jobs are pending and none runs"
            yield Finding(NAME, None, message, site.jobs.pending, site.name)


PENDING_NOT_RUNNING = FindingKind(
    NAME,
    Meaning("Jobs are pending at a site that is Normal, and none runs there in any agent.", "warning"),
    find,
)

"""The finding `phantom_pending`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FEWEST, FindingKind, Grounds, Unjudged
from rcmon.model import Finding, Meaning

NAME = "phantom_pending"


def find(grounds: Grounds) -> Iterator[Finding | Unjudged]:
    """List the sites where the batch system has less than half of what the database calls pending."""
    for agent, places in (grounds.upstream.pressure or {}).items():
        known = grounds.snapshot.agents.get(agent)
        for site in known.sites.values() if known else ():
            for task, counted in site.tasks.items():
                pending = counted.jobs.pending
                pressure = places.get(site.name, {}).get(task)
                idle = pressure.matching_idle if pressure else 0
                if pending >= FEWEST and idle * 2 < pending:
                    message = (
                        f"{task}: {pending} jobs pending in the database, {idle} idle in the batch system"
                    )
                    yield Finding(NAME, agent, message, pending - idle, site.name, task)
                elif 0 < pending < FEWEST:
                    yield Unjudged(NAME, agent, site.name, task)


PHANTOM_PENDING = FindingKind(
    NAME,
    Meaning("An agent's database says jobs are pending that the batch system does not have.", "warning"),
    find,
)

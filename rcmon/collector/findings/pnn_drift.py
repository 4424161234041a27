"""The finding `pnn_drift`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning

NAME = "pnn_drift"


def find(grounds: Grounds) -> Iterator[Finding]:
    """List the sites whose storage the catalogue and an agent name differently."""
    names = grounds.upstream.names
    for agent in grounds.snapshot.agents.values() if names else ():
        for site in agent.sites.values():
            listed = (names or {}).get(site.name)
            if listed is None or listed.pnns == site.pnns:
                continue
            lacks = sorted({*listed.pnns} - {*site.pnns})
            more = sorted({*site.pnns} - {*listed.pnns})
            said = [f"the agent lacks {', '.join(lacks)}"] if lacks else []
            said += [f"the catalogue lacks {', '.join(more)}"] if more else []
            waiting = site.jobs.pending + sum(site.backlog.values())
            if said:
                message = f"{'; '.join(said)}; {waiting} jobs wait for the site"
                yield Finding(NAME, agent.name, message, len(lacks) + len(more), site.name)


PNN_DRIFT = FindingKind(
    NAME,
    Meaning(
        "An agent and the catalogue (CRIC) name different storage of a site; jobs may be stranded.", "warning"
    ),
    find,
)

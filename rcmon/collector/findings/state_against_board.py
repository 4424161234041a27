"""The finding `state_against_board`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning

NAME = "state_against_board"


def find(grounds: Grounds) -> Iterator[Finding]:
    """List the sites that agents hold in another state than the board gives."""
    for agent, expected in grounds.snapshot.expected.items():
        known = grounds.snapshot.agents.get(agent)
        for name, should in expected.sites.items():
            seen = known.sites.get(name) if known else None
            if seen is None or None in (should.state, seen.state) or should.state == seen.state:
                continue
            status = (grounds.upstream.sites or {}).get(name)
            said = f"the board says {status.status}" if status and status.status else "by the board"
            message = f"is {seen.state}, should be {should.state} ({said})"
            yield Finding(NAME, agent, message, site=name)


STATE_AGAINST_BOARD = FindingKind(
    NAME,
    Meaning(
        "An agent holds a site in another state than the site status board gives, for 45 minutes.",
        "warning",
        after=2700.0,
    ),
    find,
)

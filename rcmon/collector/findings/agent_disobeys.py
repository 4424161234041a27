"""The finding `agent_disobeys`."""

from collections.abc import Iterator
from itertools import groupby

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning

NAME = "agent_disobeys"


def find(grounds: Grounds) -> Iterator[Finding]:
    """List the sites of agents whose databases show another value than was served."""
    for (agent, site), values in groupby(
        grounds.snapshot.steered.disobeyed, lambda one: (one.agent, one.site)
    ):
        told = "; ".join(f"{one.what} is {one.actual}, served was {one.served}" for one in values)
        yield Finding(NAME, agent, told, site=site)


AGENT_DISOBEYS = FindingKind(
    NAME,
    Meaning("An agent's database does not show what it was served, after two of its cycles.", "warning"),
    find,
)

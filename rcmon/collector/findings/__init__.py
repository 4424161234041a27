"""Findings: what in a snapshot needs an operator's attention, and why. Pure.

A new kind is a file here, its line in `FOUND_HERE`, and its test; a kind that polls give is its source's.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from msgspec import structs

from rcmon.collector.findings.agent_claimed_twice import AGENT_CLAIMED_TWICE
from rcmon.collector.findings.identity import identity, order, united
from rcmon.collector.findings.kind import FindingKind, Grounds, Unjudged
from rcmon.collector.findings.source_failing import SOURCE_FAILING
from rcmon.collector.findings.state_disagreement import STATE_DISAGREEMENT
from rcmon.collector.findings.worker_unhealthy import WORKER_UNHEALTHY
from rcmon.model import Finding, Meaning, Snapshot
from rcmon.sources import FINDINGS

FOUND_HERE: tuple[FindingKind, ...] = (
    STATE_DISAGREEMENT,
    WORKER_UNHEALTHY,
    AGENT_CLAIMED_TWICE,
    SOURCE_FAILING,
)
"""What is found in a whole snapshot."""

KINDS: Mapping[str, Meaning] = MappingProxyType(
    {kind.name: kind.meaning for kind in FOUND_HERE} | dict(FINDINGS)
)
"""Every kind of finding there is and what it means."""


def findings(snapshot: Snapshot, previous: Snapshot | None = None) -> tuple[Finding, ...]:
    """Find what is wrong over all agents, and list it with what the polls found in each; sorted."""
    grounds = Grounds(snapshot, previous, snapshot.upstream())
    found: dict[str, list[Finding]] = {}
    for one in _found(grounds):
        if isinstance(one, Finding):
            found.setdefault(identity(one), []).append(one)
    return tuple(sorted((_named(name, same) for name, same in found.items()), key=order))


def _found(grounds: Grounds) -> Iterator[Finding | Unjudged]:
    for kind in FOUND_HERE:
        yield from kind.find(grounds)
    for agent in grounds.snapshot.agents.values():
        yield from agent.findings
    for source, said in grounds.snapshot.given.items():
        for finding in said.findings:
            yield structs.replace(finding, source=source)


def _named(name: str, same: list[Finding]) -> Finding:
    finding = same[0] if len(same) == 1 else united(same)
    meaning = KINDS.get(finding.kind)
    return structs.replace(finding, id=name, severity=meaning.severity if meaning else "info")

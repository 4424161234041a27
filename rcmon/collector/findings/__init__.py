"""Findings: what in a snapshot needs an operator's attention, and why. Pure.

A new kind is a file here, its line in `FOUND_HERE`, and its test; a kind that polls give is its source's.
"""

from collections.abc import Mapping
from types import MappingProxyType

from rcmon.collector.findings.agent_claimed_twice import AGENT_CLAIMED_TWICE
from rcmon.collector.findings.kind import FindingKind
from rcmon.collector.findings.source_failing import SOURCE_FAILING
from rcmon.collector.findings.state_disagreement import STATE_DISAGREEMENT
from rcmon.collector.findings.worker_unhealthy import WORKER_UNHEALTHY
from rcmon.model import Finding, Snapshot
from rcmon.sources import FINDINGS

FOUND_HERE: tuple[FindingKind, ...] = (
    STATE_DISAGREEMENT,
    WORKER_UNHEALTHY,
    AGENT_CLAIMED_TWICE,
    SOURCE_FAILING,
)
"""What is found in a whole snapshot."""

KINDS: Mapping[str, str] = MappingProxyType({kind.name: kind.meaning for kind in FOUND_HERE} | dict(FINDINGS))
"""Every kind of finding there is and what it means, in one sentence each."""


def findings(snapshot: Snapshot) -> tuple[Finding, ...]:
    """Find what is wrong over all agents, and list it with what the polls found in each; sorted."""
    found = [finding for kind in FOUND_HERE for finding in kind.find(snapshot)]
    found += [finding for agent in snapshot.agents.values() for finding in agent.findings]
    found += [finding for said in snapshot.given.values() for finding in said.findings]
    return tuple(sorted(found, key=_order))


def _order(finding: Finding) -> tuple[str, str, str, str, str]:
    return (
        finding.kind,
        finding.agent or "",
        finding.site or "",
        finding.task or "",
        finding.message,
    )

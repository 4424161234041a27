"""Findings: what in a snapshot needs an operator's attention, and why. Pure.

A new kind is a file here, its line in `FOUND_HERE`, and its test; a kind that polls give is its source's.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from msgspec import structs

from rcmon.collector.findings.agent_claimed_twice import AGENT_CLAIMED_TWICE
from rcmon.collector.findings.agent_disobeys import AGENT_DISOBEYS
from rcmon.collector.findings.agent_not_asking import AGENT_NOT_ASKING
from rcmon.collector.findings.agent_silent import AGENT_SILENT
from rcmon.collector.findings.backlog_large import BACKLOG_LARGE
from rcmon.collector.findings.clock_skew import CLOCK_SKEW
from rcmon.collector.findings.drain_flipped import DRAIN_FLIPPED
from rcmon.collector.findings.draining_long import DRAINING_LONG
from rcmon.collector.findings.following import Judged, followed
from rcmon.collector.findings.grouping import grouped
from rcmon.collector.findings.identity import identity, order, united
from rcmon.collector.findings.kind import FindingKind, Grounds, Unjudged
from rcmon.collector.findings.override_ending import (
    OVERRIDE_END_DOUBTFUL,
    OVERRIDE_ENDING,
    OVERRIDE_ENDING_SOON,
)
from rcmon.collector.findings.pending_not_running import PENDING_NOT_RUNNING
from rcmon.collector.findings.phantom_pending import PHANTOM_PENDING
from rcmon.collector.findings.pnn_drift import PNN_DRIFT
from rcmon.collector.findings.site_closed_running import SITE_CLOSED_RUNNING
from rcmon.collector.findings.sites_down_at_once import SITES_DOWN_AT_ONCE
from rcmon.collector.findings.source_failing import SOURCE_FAILING
from rcmon.collector.findings.source_stale import SOURCE_STALE
from rcmon.collector.findings.state_against_board import STATE_AGAINST_BOARD
from rcmon.collector.findings.state_disagreement import STATE_DISAGREEMENT
from rcmon.collector.findings.state_flapping import STATE_FLAPPING
from rcmon.collector.findings.thresholds_collapsed import THRESHOLDS_COLLAPSED
from rcmon.collector.findings.thresholds_zero import THRESHOLDS_ZERO
from rcmon.collector.findings.upstream_quarantined import UPSTREAM_QUARANTINED
from rcmon.collector.findings.worker_unhealthy import WORKER_UNHEALTHY
from rcmon.collector.merge import owners
from rcmon.model import Finding, Meaning, Snapshot, Watching
from rcmon.sources import FINDINGS

FOUND_HERE: tuple[FindingKind, ...] = (
    STATE_DISAGREEMENT,
    WORKER_UNHEALTHY,
    AGENT_CLAIMED_TWICE,
    SOURCE_FAILING,
    STATE_AGAINST_BOARD,
    SITE_CLOSED_RUNNING,
    DRAINING_LONG,
    PENDING_NOT_RUNNING,
    THRESHOLDS_ZERO,
    THRESHOLDS_COLLAPSED,
    SITES_DOWN_AT_ONCE,
    AGENT_SILENT,
    BACKLOG_LARGE,
    SOURCE_STALE,
    CLOCK_SKEW,
    PNN_DRIFT,
    STATE_FLAPPING,
    DRAIN_FLIPPED,
    PHANTOM_PENDING,
    UPSTREAM_QUARANTINED,
    AGENT_NOT_ASKING,
    AGENT_DISOBEYS,
    OVERRIDE_ENDING,
    OVERRIDE_ENDING_SOON,
    OVERRIDE_END_DOUBTFUL,
)
"""What is found in a whole snapshot."""

KINDS: Mapping[str, Meaning] = MappingProxyType(
    {kind.name: kind.meaning for kind in FOUND_HERE} | dict(FINDINGS)
)
"""Every kind of finding there is and what it means."""
RECENT = 5
"""Intervals that may lie between two cycles that are compared."""


def told(snapshot: Snapshot, previous: Snapshot | None, rules: Watching) -> Snapshot:
    """Find what is wrong, and take on what was found before: fills in `findings` and `watched`."""
    judged = judge(snapshot, previous)
    earlier = previous.watched if previous else ()
    watched = followed(earlier, judged, snapshot.started, rules, KINDS)
    raised = grouped((finding for finding in watched if finding.raised), snapshot)
    return structs.replace(snapshot, findings=raised, watched=watched)


def findings(snapshot: Snapshot, previous: Snapshot | None = None) -> tuple[Finding, ...]:
    """Find what is wrong over all agents, and list it with what the polls found in each; sorted."""
    return judge(snapshot, previous).found


def judge(snapshot: Snapshot, previous: Snapshot | None) -> Judged:
    """Find what is wrong in one cycle, and what cannot be told."""
    found: dict[str, list[Finding]] = {}
    unjudged = set()
    for one in _found(Grounds(snapshot, _comparable(previous, snapshot), snapshot.upstream())):
        if isinstance(one, Finding):
            found.setdefault(identity(one), []).append(one)
        else:
            unjudged.add(identity(one))
    every = sorted((_named(name, same) for name, same in found.items()), key=order)
    stale = [state for state in snapshot.sources if state.stale]
    owned = owners(snapshot.sources)
    agents = {agent for state in stale for agent in state.agents if owned[agent] == state.name}
    old = agents | {state.name for state in stale}
    return Judged(tuple(every), frozenset(unjudged), frozenset(old))


def _comparable(previous: Snapshot | None, snapshot: Snapshot) -> Snapshot | None:
    """Give the snapshot before, unless so long ago that what changed did not do so in one cycle."""
    if previous is None or not 0 < snapshot.started - previous.started <= RECENT * snapshot.interval:
        return None
    return previous


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

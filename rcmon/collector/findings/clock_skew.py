"""The finding `clock_skew`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning

NAME = "clock_skew"
TOLERANCE = 30.0
"""Seconds that clocks may come apart, and a statement may take."""


def find(grounds: Grounds) -> Iterator[Finding]:
    """List the agents whose clock is ahead of ours."""
    reports = grounds.upstream.reports or {}
    for name, agent in grounds.snapshot.agents.items():
        beats = [
            worker.last_updated - agent.polled_at
            for component in agent.components or ()
            for worker in component.workers
            if worker.last_updated is not None
        ]
        ahead = {"heartbeat": max(beats, default=0.0)}
        report = reports.get(name)
        if report is not None:
            heard = grounds.now if report.received is None else report.received
            ahead["report"] = report.time - heard
        said = [f"its {what} is {by:.0f} s ahead" for what, by in ahead.items() if by > TOLERANCE]
        if said:
            yield Finding(NAME, name, "; ".join(said))


CLOCK_SKEW = FindingKind(
    NAME,
    Meaning("An agent's clock is ahead of ours: its heartbeats or reports bear times to come.", "warning"),
    find,
)

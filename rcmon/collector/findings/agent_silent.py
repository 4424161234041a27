"""The finding `agent_silent`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning

NAME = "agent_silent"
HEARTBEATS = 3600.0
"""Seconds since the newest heartbeat of any worker: longer than any worker's interval."""
INTERVALS = 5
"""Of the cycle, that the data of an agent may be old."""


def find(grounds: Grounds) -> Iterator[Finding]:
    """List the agents of which nothing new is heard."""
    reports = grounds.upstream.reports or {}
    for name, agent in grounds.snapshot.agents.items():
        why = []
        age = grounds.now - agent.polled_at
        if age > INTERVALS * grounds.snapshot.interval:
            why.append(f"its data are {age:.0f} s old")
        beats = [
            worker.last_updated
            for component in agent.components or ()
            for worker in component.workers
            if worker.last_updated is not None
        ]
        if beats and agent.polled_at - max(beats) > HEARTBEATS:
            why.append(f"no worker's heartbeat for {agent.polled_at - max(beats):.0f} s")
        report = reports.get(name)
        if report is not None and report.is_stale(grounds.now):
            why.append(f"its last report is {grounds.now - report.time:.0f} s old")
        if why:
            yield Finding(NAME, name, "; ".join(why))


AGENT_SILENT = FindingKind(
    NAME,
    Meaning(
        "An agent is silent: no worker's heartbeat, its last report or its data are old.",
        "critical",
        of_old=True,
    ),
    find,
)

"""The finding `source_stale`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning

NAME = "source_stale"
INTERVALS = 5
"""Of the cycle."""


def find(grounds: Grounds) -> Iterator[Finding]:
    """List the sources whose data are shown though they are old."""
    for source in grounds.snapshot.sources:
        if not source.stale or source.last_success is None:
            continue
        age = grounds.now - source.last_success
        if age > INTERVALS * grounds.snapshot.interval:
            yield Finding(
                NAME, None, f"source {source.name}: its data are {age:.0f} s old", source=source.name
            )


SOURCE_STALE = FindingKind(
    NAME, Meaning("The data of a source are older than five cycles.", "warning", of_old=True), find
)

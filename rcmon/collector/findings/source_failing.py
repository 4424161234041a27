"""The finding `source_failing`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning, SourceState

NAME = "source_failing"


def find(grounds: Grounds) -> Iterator[Finding]:
    """List the sources that are not up, with what that means for what is shown."""
    for source in grounds.snapshot.sources:
        if not source.up:
            message = f"source {source.name}: {source.error} ({_data(source)})"
            yield Finding(NAME, None, message, source=source.name)


def _data(source: SourceState) -> str:
    """Say what a failing source's failure means for the snapshot."""
    if source.stale:
        return "its last data are shown"
    return "it has never succeeded" if source.last_success is None else "it has no data that are shown"


SOURCE_FAILING = FindingKind(
    NAME, Meaning("The newest poll of a source failed.", "warning", at_once=True, of_old=True), find
)

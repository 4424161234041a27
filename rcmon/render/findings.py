"""The document of findings."""

from collections.abc import Iterator, Mapping

from rcmon.documents import keys, links
from rcmon.documents.shapes import FindingsDocument, FindingShape
from rcmon.model import Document, Finding, Snapshot
from rcmon.render.encoding import json_document
from rcmon.timestamps import iso


def findings_document(snapshot: Snapshot, previous: Mapping[str, Document]) -> Iterator[Document]:
    """Render all findings."""
    number = len(snapshot.findings)
    listed = [finding_shape(finding) for finding in snapshot.findings]
    document = FindingsDocument(iso(snapshot.started), number, number, None, listed)
    yield json_document(keys.FINDINGS, document, previous)


def finding_shape(finding: Finding) -> FindingShape:
    """Shape one finding."""
    return FindingShape(
        id=finding.id,
        kind=finding.kind,
        severity=finding.severity,
        agent=finding.agent,
        site=finding.site,
        task=finding.task,
        source=finding.source,
        part=finding.part,
        count=finding.count,
        message=finding.message,
        since=iso(finding.since),
        last_seen=iso(finding.last_seen),
        link=_link(finding),
        runbook=links.runbook(finding.kind),
        members=finding.members,
    )


_OF_KIND = {"upstream_quarantined": links.QUARANTINE}
"""Where what findings of a kind concern is shown, and decided, whatever they name."""


def _link(finding: Finding) -> str:
    """Say where what it concerns is shown: the site, the agent, or the status that lists the sources."""
    if finding.kind in _OF_KIND:
        return _OF_KIND[finding.kind]
    if finding.site is not None:
        return links.site(finding.site)
    if finding.agent is not None:
        return links.agent(finding.agent)
    return links.STATUS if finding.source is not None else links.SITES

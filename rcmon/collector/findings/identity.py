"""What makes two findings the same one, over cycles. Pure."""

import hashlib

import msgspec
from msgspec import structs

from rcmon.collector.findings.kind import Unjudged
from rcmon.model import Finding

LENGTH = 20
"""Hexadecimal digits of an id."""
SENTENCES = 3
"""Most sentences of findings about the same that are told."""


def identity(finding: Finding | Unjudged) -> str:
    """Hash what a finding is about: its kind, agent, site, task type, source and part; not its numbers."""
    about = finding.kind, finding.agent, finding.site, finding.task, finding.source, finding.part
    return hashlib.sha256(msgspec.msgpack.encode(about)).hexdigest()[:LENGTH]


def order(finding: Finding) -> tuple[str, ...]:
    """Say where a finding stands among others."""
    return (
        finding.kind,
        finding.agent or "",
        finding.site or "",
        finding.task or "",
        finding.source or "",
        finding.part or "",
        finding.message,
    )


def united(found: list[Finding]) -> Finding:
    """Make one finding of several about the same: counts added up, the first sentences one after another."""
    messages = list(dict.fromkeys(finding.message for finding in sorted(found, key=order)))
    more = f" (and {len(messages) - SENTENCES} more)" if len(messages) > SENTENCES else ""
    message = "; ".join(messages[:SENTENCES]) + more
    return structs.replace(found[0], message=message, count=sum(finding.count for finding in found))

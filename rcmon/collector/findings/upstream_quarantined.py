"""The finding `upstream_quarantined`."""

from collections.abc import Iterator

from rcmon.collector.findings.kind import FindingKind, Grounds
from rcmon.model import Finding, Meaning
from rcmon.model.steering import Proposal, Quarantine, Word

NAME = "upstream_quarantined"


def find(grounds: Grounds) -> Iterator[Finding]:
    """List what the guard holds and nobody rejected: one finding for each cause, with every site."""
    for one in grounds.snapshot.steered.quarantines:
        if one.decision == "held":
            yield Finding(NAME, None, message(one), max(len(one.proposals), 1), part=one.cause)


def message(one: Quarantine) -> str:
    """Say why it is held, and what it would change."""
    would = "; ".join(map(_would, one.proposals)) or "nothing that is known"
    return f"{one.message} (quarantine {one.id}); it would change {would}"


def _would(proposal: Proposal) -> str:
    if proposal.missing:
        return f"{proposal.site} to none"
    before = "unknown" if proposal.before is None else _said(proposal.before)
    return f"{proposal.site} from {before} to {_said(proposal.after)}"


def _said(word: Word) -> str:
    return f"{word.status} {word.cpu}/{word.io}"


UPSTREAM_QUARANTINED = FindingKind(
    NAME,
    Meaning(
        "What upstream says of sites is not sane: the last good values stay until an operator decides.",
        "critical",
        at_once=True,
    ),
    find,
)

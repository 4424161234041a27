"""What needs attention, the worst first: what the page shows before all else."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from rcmon.documents.shapes import AcknowledgementShape, FindingShape
from rcmon.timestamps import moment
from rcmon.web.api.diagnosis import age
from rcmon.web.page.paths import agent_page, site_page

SEVERITIES: Sequence[str] = ("critical", "warning", "info")
_SHOWN = 12
"""So many findings stand on the page; the list has them all."""


class Item(Struct, frozen=True):
    """One finding as the page shows it."""

    id: str
    severity: str
    kind: str
    message: str
    where: Sequence[tuple[str, str]]
    """Site and agent that it concerns and that its message does not name, with their pages."""
    link: str
    """Of the page of that."""
    since: str | None
    lasted: float | None
    """Seconds."""
    stands_for: int
    """How many findings of one cause it stands for; 0: itself."""
    acknowledgement: AcknowledgementShape | None


class Attention(Struct, frozen=True):
    """What needs attention."""

    items: Sequence[Item]
    """What nobody acknowledged, the worst first, then the newest; cut."""
    more: int
    """How many are cut off."""
    known: Sequence[Item]
    """What somebody takes as known."""
    counts: Mapping[str, int]
    """Findings by severity, those that are acknowledged left out, without zeros."""


def attention(
    findings: Sequence[FindingShape], links: Mapping[str, str], now: float, interval: float
) -> Attention:
    """Order the findings; `links`: the page of what each concerns, by its id. Times: as everywhere."""
    stood_for = {member for one in findings for member in one.members}
    shown = worst_first(one for one in findings if one.id not in stood_for)
    items = [_item(one, links.get(one.id, one.link), now, interval) for one in shown]
    fresh = [item for item in items if item.acknowledgement is None]
    counts = Counter(item.severity for item in fresh)
    return Attention(
        items=fresh[:_SHOWN],
        more=max(len(fresh) - _SHOWN, 0),
        known=[item for item in items if item.acknowledgement is not None],
        counts={severity: counts[severity] for severity in SEVERITIES if counts[severity]},
    )


def worst_first(findings: Iterable[FindingShape]) -> list[FindingShape]:
    """Order findings: the worst first, and of those that are as bad the newest."""
    rank = {severity: number for number, severity in enumerate(SEVERITIES)}
    newest = sorted(findings, key=lambda one: one.since or "", reverse=True)
    return sorted(newest, key=lambda one: rank.get(one.severity, len(rank)))


def _item(one: FindingShape, link: str, now: float, interval: float) -> Item:
    return Item(
        id=one.id,
        severity=one.severity,
        kind=one.kind,
        message=one.message,
        where=_where(one),
        link=link,
        since=one.since,
        lasted=age(moment(one.since), now, interval) if one.since else None,
        stands_for=len(one.members),
        acknowledgement=one.acknowledgement,
    )


def _where(one: FindingShape) -> Sequence[tuple[str, str]]:
    pages = ((one.site, site_page), (one.agent, agent_page))
    return [(name, page(name)) for name, page in pages if name is not None and name not in one.message]

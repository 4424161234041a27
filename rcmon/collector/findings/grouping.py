"""One finding about the cause, where that strikes many sites or all of an agent's workers. Pure."""

from collections.abc import Iterable, Sequence

from msgspec import structs

from rcmon.collector.findings.identity import identity, order
from rcmon.model import Finding, Snapshot

LEAST = 5
"""Fewer sites than these are told one by one, however few there are."""
SHARE = 5
"""One part in so many of the sites is where one cause is likelier than many."""
EXAMPLES = 3
ALL = "*"
"""The part that a finding about many concerns."""


def grouped(raised: Iterable[Finding], snapshot: Snapshot) -> tuple[Finding, ...]:
    """Put together what has one kind and agent and strikes more than a fifth of the sites, or all workers."""
    alike: dict[tuple[str, str | None], list[Finding]] = {}
    for finding in raised:
        alike.setdefault((finding.kind, finding.agent), []).append(finding)
    told: list[Finding] = []
    for (_, agent), same in alike.items():
        told += _sites(agent, same, snapshot) or _workers(agent, same, snapshot) or same
    return tuple(sorted(told, key=order))


def _sites(agent: str | None, same: Sequence[Finding], snapshot: Snapshot) -> list[Finding] | None:
    struck = [finding for finding in same if finding.site is not None]
    number = len({finding.site for finding in struck})
    seen = snapshot.agents.get(agent) if agent is not None else None
    total = len(snapshot.sites if agent is None else seen.sites if seen else ())
    if number < LEAST or number * SHARE <= total:
        return None
    rest = [finding for finding in same if finding.site is None]
    return [_one(struck, f"{number} of {total} sites", [str(one.site) for one in struck]), *rest]


def _workers(agent: str | None, same: Sequence[Finding], snapshot: Snapshot) -> list[Finding] | None:
    seen = snapshot.agents.get(agent) if agent is not None else None
    parts = {
        f"{component.name}/{worker.name}"
        for component in (seen.components if seen else None) or ()
        for worker in component.workers
    }
    struck = {finding.part for finding in same if finding.part is not None}
    if len(parts) < 2 or not parts <= struck:  # noqa: PLR2004 - one is no many
        return None
    return [_one(same, f"all {len(parts)} workers", [str(one.part) for one in same])]


def _one(same: Sequence[Finding], number: str, names: Sequence[str]) -> Finding:
    """Make the finding about the cause."""
    names = list(dict.fromkeys(sorted(names)))
    examples = ", ".join(names[:EXAMPLES]) + (", ..." if len(names) > EXAMPLES else "")
    first = min(same, key=order)
    one = Finding(
        kind=first.kind,
        agent=first.agent,
        message=f"{number} at once ({examples}), for example: {first.message}",
        count=sum(finding.count for finding in same),
        part=ALL,
        severity=first.severity,
        since=min((finding.since for finding in same if finding.since is not None), default=None),
        last_seen=max((finding.last_seen for finding in same if finding.last_seen is not None), default=None),
        seen=max(finding.seen for finding in same),
        raised=True,
        members=tuple(sorted(finding.id for finding in same)),
    )
    return structs.replace(one, id=identity(one))

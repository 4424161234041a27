"""From what is found in one cycle to what is told: raised and cleared after so many cycles. Pure."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from msgspec import Struct, structs

from rcmon.collector.findings.identity import order
from rcmon.model import Finding, Meaning, Watching


class Judged(Struct, frozen=True):
    """What one cycle says."""

    found: tuple[Finding, ...]
    """By kind and what they are about; each id once."""
    unjudged: frozenset[str]
    """Ids of what could not be judged."""
    old: frozenset[str]
    """Agents and sources whose data are those of an earlier poll."""


def followed(
    watched: Iterable[Finding],
    judged: Judged,
    now: float,
    rules: Watching,
    kinds: Mapping[str, Meaning],
) -> tuple[Finding, ...]:
    """Take everything that is watched on by one cycle that began at `now`, seconds since the epoch.

    What could not be judged stays as it was. A time that is ahead of `now`, since the clock was set back
    while nobody watched, becomes `now`, so that since is never behind last seen.
    """
    earlier = {finding.id: _past(finding, now) for finding in watched}
    made = []
    for finding in judged.found:
        known, meaning = earlier.pop(finding.id, None), kinds.get(finding.kind, _UNKNOWN)
        if known is not None and _is_old(finding, judged.old, meaning):
            made.append(known)
        else:
            made.append(_found(finding, known, now, rules, meaning))
    for known in earlier.values():
        meaning = kinds.get(known.kind, _UNKNOWN)
        if known.id in judged.unjudged or _is_old(known, judged.old, meaning):
            made.append(known)
        elif known.raised and (
            known.missed + 1 < rules.clear_after or now - (known.last_seen or now) < meaning.lasts
        ):
            made.append(structs.replace(known, missed=known.missed + 1))
    return tuple(sorted(made, key=order))


_UNKNOWN = Meaning("")


def _found(finding: Finding, known: Finding | None, now: float, rules: Watching, meaning: Meaning) -> Finding:
    since = now if known is None or known.since is None else known.since
    seen = 1 if known is None else known.seen + 1
    enough = meaning.at_once or seen >= rules.raise_after
    raised = (known is not None and known.raised) or (enough and now - since >= meaning.after)
    return structs.replace(finding, since=since, last_seen=now, seen=seen, missed=0, raised=raised)


def _past(finding: Finding, now: float) -> Finding:
    last_seen = min(finding.last_seen if finding.last_seen is not None else now, now)
    since = min(finding.since if finding.since is not None else last_seen, last_seen)
    if (since, last_seen) == (finding.since, finding.last_seen):
        return finding
    return structs.replace(finding, since=since, last_seen=last_seen)


def _is_old(finding: Finding, old: AbstractSet[str], meaning: Meaning) -> bool:
    """Tell whether the data that it was found in are those of an earlier poll."""
    return not meaning.of_old and (finding.source in old or finding.agent in old)

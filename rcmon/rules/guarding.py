"""The guard: what upstream says becomes effective only where it is sane. Pure.

What has gone wrong upstream, and is held here: WMCore issues 5740, 6075, 8292, 9532 and 9584.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec
from msgspec import Struct, structs

from rcmon.model import SiteStatus
from rcmon.model.steering import STATUSES, Effective, GuardSettings, PastWord, Proposal, Quarantine, Word

CAUSES: Mapping[str, str] = MappingProxyType(
    {
        "empty": "upstream names no site at all",
        "stale": "the newest row of upstream is too old",
        "first": "the store was set aside, and what was effective before is not known",
        "implausible": "upstream has no site enabled, or no cores at any, and nothing is known from before",
        "older": "rows are older than those that were taken before",
        "missing": "upstream does not name the site any more",
        "no_cores": "upstream gives no number or zero where there were cores",
        "leaving": "too many sites would leave Normal at once",
        "losing": "too many sites would lose over half of their slots at once",
    }
)
"""Why upstream's word is held, in the order in which a document is refused."""
FEW = 5
"""Of fewer sites it means nothing that none is enabled."""
_NAME = re.compile(r"[!-~]{1,255}")
"""What can be a site's name: no agent has one of another form."""
_SPARED = ("older", "missing", "no_cores")
"""Causes that strike single sites, where they are few."""


class UpstreamSeen(Struct, frozen=True):
    """What upstream says now."""

    sites: Mapping[str, SiteStatus] | None
    """None: nobody says anything."""
    polled: float | None
    """When that was read; None: not known."""


class Judgement(Struct, frozen=True):
    """What becomes of what upstream says."""

    effective: Effective
    standing: tuple[Quarantine, ...] = ()
    """What is held, rejected ones included; by cause."""
    ended: tuple[Quarantine, ...] = ()
    """What was held before and is no more: released, or upstream says otherwise."""


def judge(
    before: Effective,
    seen: UpstreamSeen,
    quarantines: Sequence[Quarantine],
    now: float,
    settings: GuardSettings,
    *,
    harmed: bool = False,
) -> Judgement:
    """Take what is effective on by what upstream says `now`, seconds since the epoch.

    `quarantines`: those that stood after the last time, as decided since. `harmed`: what was effective before
    may be lost, so that a first document waits for an operator.
    """
    released = [one for one in quarantines if one.decision == "released"]
    standing = [one for one in quarantines if one.decision != "released"]
    effective = _without_old(before, now, settings)
    for one in released:
        effective = _released(effective, one)
    if seen.sites is None:
        return Judgement(effective, tuple(standing), tuple(released))
    case = _Case(effective, seen.sites, now, settings, harmed=harmed and not released)
    found = [_continued(one, standing) for one in case.quarantines()]
    causes = {one.cause for one in found}
    gone = [one for one in standing if one.cause not in causes]
    return Judgement(case.taken(found, seen.polled), tuple(found), (*released, *gone))


def allowed(sites: int, settings: GuardSettings) -> int:
    """Tell how many of so many sites may leave Normal, or lose over half, within the guard's window."""
    return max(settings.at_least, int(settings.share * sites))


class _Case:
    """One document against what is effective."""

    def __init__(
        self,
        effective: Effective,
        sites: Mapping[str, SiteStatus],
        now: float,
        settings: GuardSettings,
        *,
        harmed: bool,
    ) -> None:
        self._effective, self._sites, self._now, self._settings = effective, sites, now, settings
        self._harmed = harmed
        self._rows = {name: row for name, site in sites.items() if (row := _row(site)) is not None}
        self._struck: dict[str, set[str]] = {cause: set() for cause in _SPARED}
        self._proposals = {one.site: one for one in self._proposed()}

    def _proposed(self) -> Iterator[Proposal]:
        """List what would change, and note what strikes single sites."""
        good = self._effective.good
        for name in sorted({*good, *filter(_NAME.fullmatch, self._sites)}):
            known, said = good.get(name), self._sites.get(name)
            if said is None and known is not None:
                closed = structs.replace(known, status="disabled")
                if closed != known:
                    self._struck["missing"].add(name)
                    yield Proposal(name, known, closed, missing=True)
            elif said is not None and (after := _word(said, known)) is not None and after != known:
                if known is not None:
                    self._look(name, known, said)
                yield Proposal(name, known, after)

    def _look(self, name: str, known: Word, said: SiteStatus) -> None:
        if any(was and not now for was, now in ((known.cpu, said.cpu), (known.io, said.io))):
            self._struck["no_cores"].add(name)
        if self._rows.get(name, self._now) < self._effective.rows.get(name, 0.0):
            self._struck["older"].add(name)

    def quarantines(self) -> list[Quarantine]:
        """Tell what is not let pass: the whole document for one cause, or single sites for theirs."""
        refusal = self._refusal()
        if refusal is not None:
            cause, message = refusal
            return [self._quarantine(cause, message, tuple(self._proposals.values()), whole=True)]
        found, taken = [], set[str]()
        for cause in _SPARED:
            names = self._struck[cause] - taken
            taken |= names
            if names:
                proposals = tuple(self._proposals[name] for name in sorted(names))
                found.append(self._quarantine(cause, CAUSES[cause], proposals, whole=False))
        return found

    def _refusal(self) -> tuple[str, str] | None:
        """Say why the whole document is refused; None: it is not."""
        good, settings = self._effective.good, self._settings
        if not self._sites and good:
            return "empty", CAUSES["empty"]
        if not self._proposals:
            return None  # it would change nothing
        newest = max(self._rows.values(), default=None)
        if newest is None or newest < self._now - settings.max_age:
            age = "unknown" if newest is None else f"{(self._now - newest) / 3600:.0f} h"
            return "stale", f"{CAUSES['stale']}: its age is {age}"
        return self._too_many() if good else self._first()

    def _too_many(self) -> tuple[str, str] | None:
        """Say what strikes too many sites at once."""
        good = self._effective.good
        most = allowed(len(good), self._settings)
        for cause in _SPARED:
            if len(self._struck[cause]) > most:
                return cause, f"{CAUSES[cause]}, at {self._told(self._struck[cause], most)}"
        leaving = {name for name in good if _leaves(self._base(name), self._after(name))}
        if len(leaving - self._spared()) > most:
            return "leaving", f"{CAUSES['leaving']}: {self._told(leaving, most)}"
        losing = {name for name in good if _loses(self._base(name), self._after(name))}
        if len(losing - self._spared()) > most:
            return "losing", f"{CAUSES['losing']}: {self._told(losing, most)}"
        return None

    def _first(self) -> tuple[str, str] | None:
        """Judge a document that there is nothing to compare with."""
        words = [one.after for one in self._proposals.values()]
        if self._harmed:
            return "first", CAUSES["first"]
        known = [word for word in words if word.cpu is not None]
        kinds = {"computing": any(word.cpu for word in known), "reading": any(word.io for word in known)}
        if len(words) >= FEW and all(word.status != "enabled" for word in words):
            return "implausible", f"{CAUSES['implausible']}: none of {len(words)} sites is enabled"
        if known and not all(kinds.values()):
            missing = " and ".join(kind for kind, there in kinds.items() if not there)
            return "implausible", f"{CAUSES['implausible']}: no cores for {missing} at {len(known)} sites"
        return None

    def _is_new(self) -> bool:
        """Tell whether the document confirms what it repeats: an old one says nothing of now."""
        newest = max(self._rows.values(), default=0.0)
        known = self._effective.rows
        older = sum(time < known.get(name, 0.0) for name, time in self._rows.items())
        return newest >= self._now - self._settings.max_age and older <= allowed(len(known), self._settings)

    def _spared(self) -> set[str]:
        return set().union(*self._struck.values())

    def _after(self, name: str) -> Word:
        one = self._proposals.get(name)
        return self._effective.good[name] if one is None else one.after

    def _base(self, name: str) -> tuple[Word, ...]:
        """Give what was effective within the window."""
        return (*(one.word for one in self._effective.past.get(name, ())), self._effective.good[name])

    def _told(self, names: Collection[str], most: int) -> str:
        return f"{len(names)} of {len(self._effective.good)} sites, more than {most}: {_named(sorted(names))}"

    def _quarantine(
        self, cause: str, message: str, proposals: tuple[Proposal, ...], *, whole: bool
    ) -> Quarantine:
        content = hashlib.sha256(cause.encode() + msgspec.msgpack.encode(proposals)).hexdigest()[:16]
        return Quarantine(f"{cause}-{content}", cause, message, self._now, whole, proposals)

    def taken(self, found: Sequence[Quarantine], polled: float | None) -> Effective:
        """Give what is effective from here on."""
        effective = self._effective
        if any(one.whole for one in found) or not (self._proposals or self._is_new()):
            return effective
        held = {one.site: cause.cause for cause in found for one in cause.proposals}
        good, past, rows = dict(effective.good), dict(effective.past), dict(effective.rows)
        for name, proposal in self._proposals.items():
            if name in held:
                continue
            if proposal.before is not None:
                past[name] = (*past.get(name, ()), PastWord(self._now, proposal.before))
            good[name] = proposal.after
        rows |= {name: time for name, time in self._rows.items() if name not in held and name in good}
        last = effective.confirmed if effective.confirmed is not None else self._now
        return Effective(
            dict(sorted(good.items())),
            polled if polled is not None else self._now,
            {
                name: (cause, effective.held[name][1] if name in effective.held else last)
                for name, cause in sorted(held.items())
            },
            rows,
            past,
        )


def _word(said: SiteStatus, known: Word | None) -> Word | None:
    """Make what would be effective; a status that nobody understands leaves the one before.

    None: the site was never known and has no status that is understood.
    """
    status = said.status if said.status in STATUSES else (known.status if known else None)
    if status is None:
        return None
    if known is None or known.cpu is None:
        return Word(status, said.cpu, said.io) if _numbered(said) else Word(status, None, None)
    return Word(status, said.cpu or 0, said.io or 0)


def _numbered(said: SiteStatus) -> bool:
    """Tell whether both numbers are there: agents take a site with both, and stumble over one alone."""
    return said.cpu is not None and said.io is not None


def _row(site: SiteStatus) -> float | None:
    """Tell when upstream wrote the newest row of a site."""
    return max((time for time in (site.status_time, site.capacity_time) if time is not None), default=None)


def _leaves(words: Sequence[Word], after: Word) -> bool:
    return after.status != "enabled" and any(word.status == "enabled" for word in words)


def _loses(words: Sequence[Word], after: Word) -> bool:
    """Tell whether over half of the cores of a kind are gone: agents make slots of each."""
    kinds = [((word.cpu, after.cpu), (word.io, after.io)) for word in words]
    return any(2 * (now or 0) < (was or 0) for kind in kinds for was, now in kind)


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")  # noqa: PLR2004 - some examples


def _without_old(effective: Effective, now: float, settings: GuardSettings) -> Effective:
    """Forget what was effective before the window; what a clock that was ahead noted is kept for one."""
    past = {
        name: kept
        for name, words in effective.past.items()
        if (kept := tuple(one for one in words if abs(now - one.until) <= settings.window))
    }
    return structs.replace(effective, past=past)


def _released(effective: Effective, quarantine: Quarantine) -> Effective:
    """Make effective what an operator released, as it was when he saw it; the guard begins anew for it."""
    good = {**effective.good, **{one.site: one.after for one in quarantine.proposals}}
    names = {one.site for one in quarantine.proposals}
    return structs.replace(
        effective,
        good=dict(sorted(good.items())),
        past={name: words for name, words in effective.past.items() if name not in names},
        rows={name: time for name, time in effective.rows.items() if name not in names},
        held={name: why for name, why in effective.held.items() if name not in names},
    )


def _continued(found: Quarantine, standing: Sequence[Quarantine]) -> Quarantine:
    """Keep when it began, and what was decided of it: a rejection holds for all changes that it named."""
    known = next((one for one in standing if one.cause == found.cause), None)
    if known is None:
        return found
    found = structs.replace(found, opened=known.opened)
    if known.decision == "rejected" and set(found.proposals) <= set(known.proposals):
        return structs.replace(
            found, decision="rejected", decided=known.decided, by=known.by, reason=known.reason
        )
    return found

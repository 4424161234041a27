"""Which sites a query selects, and in which order."""

import fnmatch
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Literal, get_args

from msgspec import Meta

from rcmon.documents.shapes import SiteEntry
from rcmon.web.api.query import AgentGlob, At, Many, Query, SiteGlob

DIFFERING = "differing"
"""In place of a state: the agents hold the site in different ones."""
UNKNOWN = "unknown"
"""In place of a state: no agent knows it."""

State = Literal["Normal", "Draining", "Down", "Aborted", "differing", "unknown"]
"""A state that any agent holds the site in, DIFFERING or UNKNOWN."""
Tier = Literal["T0", "T1", "T2", "T3"]
Sort = Literal[
    "name", "tier", "state", "running_slots", "pending_slots", "running_jobs", "pending_jobs", "agents",
    "-name", "-tier", "-state", "-running_slots", "-pending_slots", "-running_jobs", "-pending_jobs",
    "-agents",
]  # fmt: skip
"""What to sort by; `-` reverses."""
Field = Literal[
    "name", "tier", "state", "states", "running_slots", "pending_slots", "running_jobs", "pending_jobs",
    "jobs", "agents",
]  # fmt: skip
"""A member of a site's document."""
Format = Literal["json", "csv", "ndjson"]

STATES: tuple[State, ...] = get_args(State)
TIERS: tuple[Tier, ...] = get_args(Tier)
_MOST = 1_000_000

_KEYS: dict[str, Callable[[SiteEntry], str | int | None]] = {
    "name": lambda entry: entry.name,
    "tier": lambda entry: entry.tier,
    "state": lambda entry: entry.state,
    "running_slots": lambda entry: entry.running_slots,
    "pending_slots": lambda entry: entry.pending_slots,
    "running_jobs": lambda entry: entry.jobs.running,
    "pending_jobs": lambda entry: entry.jobs.pending,
    "agents": lambda entry: len(entry.agents),
}


class SiteSelection(Query, frozen=True, kw_only=True):
    """Which sites, in which order. Lists are alternatives, different parameters must all hold."""

    site: Many[SiteGlob] = ()
    """Patterns of names."""
    state: Many[State] = ()
    agent: Many[AgentGlob] = ()
    """Patterns of agents that know the site."""
    tier: Many[Tier] = ()
    sort: Many[Sort] = ()
    """The most important first; unknown values come last."""


class SiteQuery(SiteSelection, frozen=True, kw_only=True):
    """What is asked of the sites."""

    fields: Many[Field] = ()
    """Which to give; none: all."""
    limit: Annotated[int, Meta(ge=1, le=_MOST)] | None = None
    offset: Annotated[int, Meta(ge=0, le=_MOST)] = 0
    format: Format = "json"
    pretty: bool = False
    at: At = ""


def select(
    sites: Iterable[SiteEntry], wanted: SiteSelection, flags: re.RegexFlag = re.NOFLAG
) -> list[SiteEntry]:
    """Pick the sites that a query wants, in its order; `flags` are for the patterns of their names."""
    name, agent = matcher(wanted.site, flags), matcher(wanted.agent)
    chosen = [
        entry
        for entry in sites
        if (not wanted.site or name(entry.name))
        and (not wanted.tier or entry.tier in wanted.tier)
        and (not wanted.agent or any(map(agent, entry.agents)))
        and (not wanted.state or any(_holds(entry, state) for state in wanted.state))
    ]
    for key in reversed(wanted.sort):
        chosen = _sorted(chosen, _KEYS[key.removeprefix("-")], reverse=key.startswith("-"))
    return chosen


def cut(chosen: Sequence[SiteEntry], wanted: SiteQuery) -> Sequence[SiteEntry]:
    """Take the part of the sites that a query wants."""
    end = None if wanted.limit is None else wanted.offset + wanted.limit
    return chosen[wanted.offset : end]


def next_offset(total: int, wanted: SiteQuery) -> int | None:
    """Tell where the part behind the wanted one begins; None: there is none."""
    end = total if wanted.limit is None else wanted.offset + wanted.limit
    return end if end < total else None


def differs(entry: SiteEntry) -> bool:
    """Tell whether the agents hold a site in different states."""
    return len(entry.states) > 1


def _holds(entry: SiteEntry, state: str) -> bool:
    if state == DIFFERING:
        return differs(entry)
    return not entry.states if state == UNKNOWN else state in entry.states


def matcher(globs: Sequence[str], flags: re.RegexFlag = re.NOFLAG) -> Callable[[str], object]:
    """Make one test of several patterns; a name must match as a whole."""
    return re.compile("|".join(map(fnmatch.translate, globs)), flags).match


def _sorted(
    entries: Sequence[SiteEntry], key: Callable[[SiteEntry], str | int | None], *, reverse: bool
) -> list[SiteEntry]:
    """Sort stably; whoever has no value comes last either way."""
    known = [(value, index) for index, entry in enumerate(entries) if (value := key(entry)) is not None]
    order = sorted(known, key=lambda pair: pair[0], reverse=reverse)
    unknown = [entry for entry in entries if key(entry) is None]
    return [*(entries[index] for _, index in order), *unknown]

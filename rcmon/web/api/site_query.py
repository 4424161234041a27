"""Which sites a query selects, and in which order."""

import fnmatch
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from msgspec import Struct

from rcmon.documents.shapes import SiteEntry, SiteShape
from rcmon.model import SITE_STATES
from rcmon.web.api.query import PRETTY, Parameter, globs, integer, one_of

DIFFERING = "differing"
"""In place of a state: the agents hold the site in different ones."""
UNKNOWN = "unknown"
"""In place of a state: no agent knows it."""
TIERS = ("T0", "T1", "T2", "T3")
FIELDS = SiteShape.__struct_fields__
FORMATS = ("json", "csv", "ndjson")

_KEYS: dict[str, Callable[[SiteEntry], str | int | None]] = {
    "name": lambda entry: entry.name,
    "tier": lambda entry: entry.tier,
    "state": lambda entry: entry.state,
    "running_slots": lambda entry: entry.running_slots,
    "pending_slots": lambda entry: entry.pending_slots,
    "running_jobs": lambda entry: entry.jobs.running,
    "pending_jobs": lambda entry: entry.jobs.pending,
}
SORTS = (*_KEYS, *(f"-{key}" for key in _KEYS))


class SiteQuery(Struct, frozen=True, kw_only=True):
    """What is asked of the sites. Lists are alternatives, different parameters must all hold."""

    site: tuple[str, ...] = ()
    """Patterns of names."""
    state: tuple[str, ...] = ()
    """A state that any agent holds the site in, DIFFERING or UNKNOWN."""
    agent: tuple[str, ...] = ()
    """Patterns of agents that know the site."""
    tier: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    """What to sort by, the most important first; `-` reverses; unknown values come last."""
    fields: tuple[str, ...] = ()
    """Which of FIELDS to give; none: all."""
    limit: int | None = None
    offset: int = 0
    format: Literal["json", "csv", "ndjson"] = "json"
    pretty: bool = False


SELECTING: tuple[Parameter, ...] = (
    globs("site", "T1_*"),
    one_of("state", (*SITE_STATES, DIFFERING, UNKNOWN), many=True),
    globs("agent", "vocms*"),
    one_of("tier", TIERS, many=True),
    one_of("sort", SORTS, many=True),
)
PARAMETERS: tuple[Parameter, ...] = (
    *SELECTING,
    one_of("fields", FIELDS, many=True),
    integer("limit", 1, 1_000_000),
    integer("offset", 0, 1_000_000),
    one_of("format", FORMATS),
    PRETTY,
)


def select(sites: Iterable[SiteEntry], wanted: SiteQuery) -> Sequence[SiteEntry]:
    """Pick the sites that a query wants, in its order."""
    name, agent = _pattern(wanted.site), _pattern(wanted.agent)
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
    end = None if wanted.limit is None else wanted.offset + wanted.limit
    return chosen[wanted.offset : end]


def differs(entry: SiteEntry) -> bool:
    """Tell whether the agents hold a site in different states."""
    return len(entry.states) > 1


def _holds(entry: SiteEntry, state: str) -> bool:
    if state == DIFFERING:
        return differs(entry)
    return not entry.states if state == UNKNOWN else state in entry.states


def _pattern(globs: Sequence[str]) -> Callable[[str], object]:
    """Make one test of several patterns; a name must match as a whole, case and all."""
    return re.compile("|".join(map(fnmatch.translate, globs))).match


def _sorted(
    entries: Sequence[SiteEntry], key: Callable[[SiteEntry], str | int | None], *, reverse: bool
) -> list[SiteEntry]:
    """Sort stably; whoever has no value comes last either way."""
    known = [(value, index) for index, entry in enumerate(entries) if (value := key(entry)) is not None]
    order = sorted(known, key=lambda pair: pair[0], reverse=reverse)
    unknown = [entry for entry in entries if key(entry) is None]
    return [*(entries[index] for _, index in order), *unknown]

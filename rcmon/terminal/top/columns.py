"""The lists of the screen: their columns, by what they are sorted, and where a filter looks."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from rcmon.terminal.commands.agents import health_of
from rcmon.terminal.commands.findings import known_by
from rcmon.terminal.commands.sites import state_of
from rcmon.terminal.output import Cell, words
from rcmon.terminal.shapes import FindingSeen, Number, SiteSeen
from rcmon.terminal.top.feed import FeedShown
from rcmon.terminal.words import time_of

_SEVERITIES = {"critical": 0, "warning": 1, "info": 2}


class ScreenColumn(Struct, frozen=True):
    """One column of a list on the screen."""

    title: str
    value: Callable[[Any], Cell]
    key: Callable[[Any], Any] | None = None
    """By what it is sorted, where that is not the value."""
    right: bool = False
    most: bool = False
    """Whether the greatest comes first."""


class ScreenList(Struct, frozen=True):
    """One list of the screen."""

    title: str
    rows: Callable[[FeedShown], Sequence[Any]]
    name: Callable[[Any], str]
    """What tells a row from the others."""
    columns: tuple[ScreenColumn, ...]


def _number(title: str, value: Callable[[Any], Number]) -> ScreenColumn:
    return ScreenColumn(title, value, right=True, most=True)


def _fill(site: SiteSeen) -> float | None:
    """Tell which part of its slots is used, in percent; None: that is not known."""
    if site.running_jobs is None or not site.running_slots:
        return None
    return 100 * site.running_jobs / site.running_slots


def _percent(site: SiteSeen) -> Cell:
    fill = _fill(site)
    return None if fill is None else f"{fill:.0f}%"


def _where(finding: FindingSeen) -> str:
    return " ".join(part for part in (finding.agent, finding.site, finding.task) if part)


SITES = ScreenList(
    "Sites",
    lambda shown: shown.sites,
    lambda site: site.name,
    (
        ScreenColumn("SITE", lambda site: site.name),
        ScreenColumn("TIER", lambda site: site.tier),
        ScreenColumn("STATE", state_of),
        _number("RUN JOBS", lambda site: site.running_jobs),
        _number("RUN SLOTS", lambda site: site.running_slots),
        ScreenColumn("FILL", _percent, _fill, right=True, most=True),
        _number("PEND JOBS", lambda site: site.pending_jobs),
        _number("PEND SLOTS", lambda site: site.pending_slots),
    ),
)
AGENTS = ScreenList(
    "Agents",
    lambda shown: shown.agents,
    lambda agent: agent.name,
    (
        ScreenColumn("AGENT", lambda agent: agent.name),
        ScreenColumn("HEALTH", health_of),
        ScreenColumn("DRAIN", lambda agent: agent.drain),
        ScreenColumn("VERSION", lambda agent: agent.version),
        _number("SITES", lambda agent: agent.sites),
        _number("RUN JOBS", lambda agent: agent.jobs.running),
        _number("PEND JOBS", lambda agent: agent.jobs.pending),
        _number("FINDINGS", lambda agent: agent.findings),
        ScreenColumn("DOWN", lambda agent: " ".join(agent.down_components)),
    ),
)
FINDINGS = ScreenList(
    "Findings",
    lambda shown: shown.findings,
    lambda finding: finding.id,
    (
        ScreenColumn(
            "SEVERITY", lambda one: one.severity, lambda one: _SEVERITIES.get(one.severity or "", 3)
        ),
        ScreenColumn("SINCE", lambda one: time_of(one.since), lambda one: one.since, most=True),
        ScreenColumn("KIND", lambda one: one.kind),
        ScreenColumn("WHERE", _where),
        ScreenColumn("MESSAGE", lambda one: one.message),
        ScreenColumn("ACKNOWLEDGED", known_by),
    ),
)
LISTS: tuple[ScreenList, ...] = (SITES, AGENTS, FINDINGS)


def chosen(listed: ScreenList, shown: FeedShown, sort: int, *, reverse: bool, pattern: str) -> list[Any]:
    """Give the rows that hold a text in any case, sorted; whoever has no value comes last either way."""
    needle = pattern.casefold()
    rows = [row for row in listed.rows(shown) if not needle or needle in _text(listed, row)]
    column = listed.columns[sort]
    key: Callable[[Any], Any] = column.key or column.value
    known = [row for row in rows if key(row) is not None]
    known.sort(key=key, reverse=column.most != reverse)
    return known + [row for row in rows if key(row) is None]


def _text(listed: ScreenList, row: Any) -> str:
    return " ".join(words(column.value(row)) for column in listed.columns).casefold()

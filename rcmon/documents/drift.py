"""The JSON documents of what should be: expected beside actual, drift, and the forecasts of the updaters.

Every time is ISO 8601 in UTC; every `None` is written as null and means "not known", never zero.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct


class DriftShape(Struct, frozen=True, gc=False):
    """One value of one agent that is another than is expected."""

    agent: str
    site: str | None
    """Null: it concerns all sites of the agent."""
    task: str | None
    """Null: the value is the site's own."""
    what: str
    """`state`, `running_slots`, `pending_slots` or `max_slots`; `thresholds`: all of them."""
    expected: int | str | None
    actual: int | str | None
    reason: str
    detail: str


class DriftsDocument(Struct, frozen=True):
    """What differs, sorted by agent and site."""

    timestamp: str | None
    count: int
    total: int
    next: str | None
    drifts: Sequence[DriftShape]


class ValuePair(Struct, frozen=True, gc=False):
    """What should be, and what is."""

    expected: int | str | None
    actual: int | str | None


class TaskPairs(Struct, frozen=True, gc=False):
    """One task type's threshold; all expected values null: the updater leaves it alone."""

    max_slots: ValuePair
    pending_slots: ValuePair


class AgentPairs(Struct, frozen=True):
    """One site in one agent."""

    state: ValuePair
    running_slots: ValuePair
    pending_slots: ValuePair
    tasks: Mapping[str, TaskPairs]
    team: str | None
    agents_in_team: int | None
    """Those that share the site, as the agent's updater counts them."""
    missing: str | None
    """What is not known, so that all or some values cannot be expected; null: nothing."""


class ExpectedDocument(Struct, frozen=True):
    """What should be at one site, in each agent that knows it."""

    timestamp: str | None
    site: str
    agents: Mapping[str, AgentPairs]


class Inputs(Struct, frozen=True):
    """What an agent's thresholds follow from."""

    team: str | None
    agents_in_team: int | None
    silent_agents: Sequence[str]
    """Those of them that have said nothing for 20 minutes, and lower everyone's share."""
    tier0: bool | None
    missing: str | None
    """What is not known, so that all or the pending slots cannot be expected; null: nothing."""
    stopped: str | None
    """Why the updater changes no slots at all; null: it does."""


class MissShape(Struct, frozen=True):
    """A write of the updater that was another than was forecast."""

    time: str | None
    site: str
    what: str
    forecast: Sequence[int | str | None]
    written: Sequence[int | str | None]


class ForecastShape(Struct, frozen=True):
    """How well the updater's writes were forecast."""

    hits: int
    misses: int
    awaited: int
    """Writes that the next round should make."""
    last_misses: Sequence[MissShape]
    """Newest first."""

"""The JSON document of all sites in short: what the page's table and its maps show, a row for each."""

from collections.abc import Mapping, Sequence

from msgspec import Struct


class OverviewRow(Struct, frozen=True, gc=False, array_like=True):
    """One site over all agents. Every null is "not known", never zero."""

    name: str
    tier: str | None
    states: Mapping[str, Sequence[str]]
    """Agents by the state they hold it in; one state alone has no agents here: all of them."""
    running_jobs: int | None
    running_slots: int | None
    pending_jobs: int | None
    pending_slots: int | None
    agents: int
    """How many have it."""


class MapRow(Struct, frozen=True):
    """One row of a map: an agent or a task type, over all sites in the order of `sites`."""

    name: str
    shades: str
    """A character for each site: see `shades` of the document."""
    reasons: str
    """A character for each site: see `reasons` of the document."""


class OverviewDocument(Struct, frozen=True):
    """All sites in short."""

    timestamp: str | None
    sites: Sequence[OverviewRow]
    """Sorted by name."""
    agents: Sequence[MapRow]
    tasks: Sequence[MapRow]
    shades: Mapping[str, str]
    """What a character of a map's row means."""
    reasons: Mapping[str, str]
    """The reason that a character stands for, as `/api/why` names it."""

"""What a change of overrides would do in each agent, before it is done. Pure.

An agent's updater sets the state by WMCore's changeSiteState, which kills the idle jobs that may run at the
site alone whenever it becomes Draining or Down; its JobSubmitter makes its cache of jobs anew when the set of
draining sites, or that of sites that are down, is another (WMAgent 2.4.5.9).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from msgspec import Struct

from rcmon.model import AgentExpected, Place, SiteExpected, Spot
from rcmon.rules.overriding import ByPlace, overriding

CLOSED = ("Draining", "Down")
_UNKNOWN = SiteExpected()
T = TypeVar("T")


class SiteValues(Struct, frozen=True):
    """State and slots of a site in an agent; None: not known."""

    state: str | None
    running_slots: int | None
    pending_slots: int | None


class Foreseen(Struct, frozen=True):
    """What a change would do at one site in one agent."""

    agent: str
    site: str
    before: SiteValues
    """As the agent holds the site now."""
    after: SiteValues
    cache_rebuilt: bool | None
    """Whether JobSubmitter makes its cache of jobs anew; None: not known."""
    idle_jobs_killed: int | None
    """Idle jobs that may run nowhere else; None: not known."""


class OverridesMove(Struct, frozen=True):
    """The overrides as they are and as they are to be, at a time in seconds since the epoch."""

    before: ByPlace
    after: ByPlace
    now: float


def foresee(
    move: OverridesMove,
    spots: Iterable[Spot],
    places: Mapping[str, Mapping[str, Place]],
    expected: Mapping[str, AgentExpected],
) -> Iterator[Foreseen]:
    """Tell what would change at some spots, by site and agent.

    `places`: by site and agent, what the agents hold. A value that an override leaves becomes what is
    expected without, as far as that is known.
    """
    wanted: set[tuple[str, str]] = set()
    for site, agent in spots:
        found = places.get(site, {})
        wanted.update((site, name) for name in found if agent in (None, name))
    for site, agent in sorted(wanted):
        known = expected.get(agent)
        natural = (known.sites.get(site) if known else None) or _UNKNOWN
        one = _foreseen(move, site, places[site][agent], natural)
        if one is not None:
            yield one


def _foreseen(move: OverridesMove, site: str, place: Place, natural: SiteExpected) -> Foreseen | None:
    """Foresee one place; None: nothing that is set there changes."""
    agent = place.agent
    was = overriding(move.before, site, agent, move.now).values
    will = overriding(move.after, site, agent, move.now).values
    if was == will:
        return None
    holds = SiteValues(place.state, place.running_slots, place.pending_slots)
    becomes = SiteValues(
        _becomes(was[0], will[0], holds.state, natural.state),
        _becomes(was[1], will[1], holds.running_slots, natural.running_slots),
        _becomes(was[2], will[2], holds.pending_slots, natural.pending_slots),
    )
    return Foreseen(
        agent=agent,
        site=site,
        before=holds,
        after=becomes,
        cache_rebuilt=_rebuilt(holds.state, becomes.state),
        idle_jobs_killed=_killed(holds.state, becomes.state, place.unique_idle),
    )


def _becomes(was: T | None, will: T | None, holds: T | None, natural: T | None) -> T | None:
    """Tell what a value becomes: what is set, else what it is by itself, unless it is that already."""
    if will is not None:
        return will
    return holds if was is None else natural


def _rebuilt(before: str | None, after: str | None) -> bool | None:
    if before is None or after is None:
        return None
    return before != after and (before in CLOSED or after in CLOSED)


def _killed(before: str | None, after: str | None, unique_idle: int | None) -> int | None:
    if before is None or after is None:
        return None
    return unique_idle if before != after and after in CLOSED else 0

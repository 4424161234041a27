"""When overrides would change so many sites at once that they need a second word. Pure."""

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from rcmon.model import Override, Place
from rcmon.model.steering import GuardSettings
from rcmon.rules.foreseeing import CLOSED
from rcmon.rules.guarding import allowed
from rcmon.rules.overriding import ByPlace

_SHOWN = 3


class Grid(Struct, frozen=True):
    """What there is to be harmed."""

    sites: int
    """How many there are at all."""
    places: Callable[[str], Mapping[str, Place]]
    """What the agents hold of a site, by agent."""
    settings: GuardSettings


def needs_force(earlier: ByPlace, now: ByPlace, then: ByPlace, grid: Grid) -> str | None:
    """Tell why overrides that become those of `then` need a second word; None: they do not.

    `earlier`: those of the guard's window ago. No more than the guard's share of all sites may be closed, or
    lose over half of their slots, by overrides that came within it. What strikes no other site needs no word.
    """
    struck = set(_struck(then, grid)) - set(_struck(earlier, grid))
    added = struck - set(_struck(now, grid))
    most = allowed(grid.sites, grid.settings)
    if not added or len(struck) <= most:
        return None
    names = sorted(struck)
    more = ", …" if len(names) > _SHOWN else ""
    return (
        f"{len(struck)} of {grid.sites} sites would be closed or lose over half of their slots within"
        f" {grid.settings.window / 60:.0f} min, more than {most}: {', '.join(names[:_SHOWN])}{more}"
    )


def _struck(placed: ByPlace, grid: Grid) -> Iterator[str]:
    """Name the sites that overrides close, or that lose over half of their slots by them in some agent."""
    for one in placed.values():
        if one.state in CLOSED or _halves(one, grid):
            yield one.site


def _halves(one: Override, grid: Grid) -> bool:
    if one.running is None and one.pending is None:
        return False
    return any(
        _is_less(one.running, place.running_slots) or _is_less(one.pending, place.pending_slots)
        for place in grid.places(one.site).values()
        if one.agent in (None, place.agent)
    )


def _is_less(wanted: int | None, held: int | None) -> bool:
    return wanted is not None and held is not None and 2 * wanted < held

"""Which override holds where: an agent's own before that of the whole site, value by value. Pure."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from msgspec import Struct

from rcmon.model.control import Override, Spot

ByPlace: TypeAlias = Mapping[Spot, Override]


class Overriding(Struct, frozen=True):
    """For each value the override that decides it at one site in one agent; None: it is as without."""

    state: Override | None = None
    running: Override | None = None
    pending: Override | None = None

    @property
    def values(self) -> tuple[str | None, int | None, int | None]:
        """What is set: state, running and pending slots; None: nothing."""
        return (
            None if self.state is None else self.state.state,
            None if self.running is None else self.running.running,
            None if self.pending is None else self.pending.pending,
        )


def is_over(override: Override, now: float) -> bool:
    """Tell whether an override has ended at that time, seconds since the epoch.

    `now` is to be a time that can be believed: where the machine's clock was set, `Snapshot.believed`.
    """
    return override.until is not None and override.until <= now


def by_place(overrides: Iterable[Override]) -> dict[Spot, Override]:
    """Sort overrides by where they stand; of two at one place, which no store gives, the later set."""
    return {one.spot: one for one in sorted(overrides, key=lambda one: one.version)}


def overriding(placed: ByPlace, site: str, agent: str, now: float) -> Overriding:
    """Tell which overrides decide the state and slots of a site in an agent at that time.

    Value by value the agent's own override goes before that of every agent; one that has ended decides
    nothing, and one that does not set a value leaves it to the other.
    """
    found = (placed.get((site, agent)), placed.get((site, None)))
    held = [one for one in found if one is not None and not is_over(one, now)]
    return Overriding(
        state=next((one for one in held if one.state is not None), None),
        running=next((one for one in held if one.running is not None), None),
        pending=next((one for one in held if one.pending is not None), None),
    )

"""What operators set in place of what would hold by itself: overrides, and how they change. Pure.

Times are seconds since the epoch (UTC).
"""

import hashlib
from typing import Literal, TypeAlias

from msgspec import Struct

SteeredState = Literal["Normal", "Draining", "Down"]
STEERED_STATES: tuple[SteeredState, ...] = ("Normal", "Draining", "Down")
"""The states that an unmodified agent can be told; Aborted is none of them."""

OverrideMode = Literal["until", "latched", "toggle"]
OVERRIDE_MODES: tuple[OverrideMode, ...] = ("until", "latched", "toggle")
"""until: ends at a time; latched: stays until somebody ends it; toggle: ends when what would hold by itself
agrees."""

OVERRIDE_DAY = 86_400.0
"""Seconds that an override lasts where nothing else is said."""
OVERRIDE_LONGEST = 30 * OVERRIDE_DAY
"""Seconds that one with an end may last."""

Spot: TypeAlias = tuple[str, str | None]
"""Where an override stands: a site, and the agent, or None: every agent."""


class Override(Struct, frozen=True):
    """What an operator sets at one site, in one agent or in all. What it does not set is None."""

    site: str
    agent: str | None
    """None: every agent that has no override of its own for the same value."""
    state: SteeredState | None
    running: int | None
    """Running slots; likewise `pending`."""
    pending: int | None
    mode: OverrideMode
    until: float | None
    """When it ends; None unless `mode` is until."""
    reason: str
    subject: str
    """Whose certificate set it."""
    made: float
    """When it was set as it is now."""
    version: int
    """The number of the change that made it so: it grows with every change of any override."""

    @property
    def spot(self) -> Spot:
        """Where it stands."""
        return self.site, self.agent

    @property
    def tag(self) -> str:
        """What its ETag is made from."""
        return tag(self.version, self.made)


class SpotChange(Struct, frozen=True):
    """What one change made of one place; None: there was, or is, no override."""

    site: str
    agent: str | None
    before: Override | None
    after: Override | None


class OverrideChange(Struct, frozen=True):
    """One change of overrides: what was done at once, as a whole."""

    number: int
    """It grows with every change, whatever the clock says."""
    time: float
    by: str | None
    """Subject of the certificate of who did it; None: it came by itself."""
    cause: str
    """What it is, in a few words."""
    spots: tuple[SpotChange, ...]
    undoes: int | None = None
    """The number of the change that it took back."""

    @property
    def tag(self) -> str:
        """What its ETag is made from: the same as of the overrides that it made."""
        return tag(self.number, self.time)


def tag(number: int, time: float) -> str:
    """Tell one change from any other, also from one of the same number in a store that was made afresh."""
    return f"{number}-{hashlib.sha256(f'{number} {time!r}'.encode()).hexdigest()[:12]}"

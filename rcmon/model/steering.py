"""What agents are steered with: what upstream says of sites, what of it is effective, and for whom.

Times are seconds since the epoch (UTC). `None` always means "not known", never zero.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Mode = Literal["observe", "advise", "control"]
"""How far an agent is steered: not at all; documents are served; it is answered as if by MonIT."""
MODES: tuple[Mode, ...] = ("observe", "advise", "control")
HEAVIEST = 1000.0
"""The greatest weight."""
Decision = Literal["held", "released", "rejected"]
DECISIONS: tuple[Decision, ...] = ("held", "released", "rejected")
MOST_CORES = 10_000_000
"""More than the grid has: of one site none are believed above this, and none are told."""
STATUSES = ("enabled", "drain", "disabled", "test")
"""What `prod_status` can be, as agents understand it."""


class GuardSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What the guard lets pass."""

    share: Annotated[float, Meta(ge=0, le=1)] = 0.10
    """Of all sites, so many may leave Normal in `window`, and so many lose over half of their slots."""
    at_least: Annotated[int, Meta(ge=0, le=100_000)] = 1
    """So many may in any case: of a few sites a tenth is none."""
    window: Annotated[float, Meta(ge=60, le=86_400)] = 1800.0
    """Seconds."""
    max_age: Annotated[float, Meta(ge=3600, le=864_000)] = 129_600.0
    """Seconds that a document's newest row may be old, and that the last sound document is repeated."""


class Word(Struct, frozen=True, gc=False, array_like=True):
    """What upstream says of one site."""

    status: str | None
    """`prod_status`, one of STATUSES."""
    cpu: int | None
    """`core_cpu_intensive`; likewise `io`."""
    io: int | None


class PastWord(Struct, frozen=True, gc=False, array_like=True):
    """What was effective of one site until a time."""

    until: float
    word: Word


class Proposal(Struct, frozen=True, gc=False, array_like=True):
    """What would change at one site; `missing`: upstream does not name it any more."""

    site: str
    before: Word | None
    after: Word
    """What becomes effective where this is released: a site that is missing becomes disabled, and what has no
    number becomes 0."""
    missing: bool = False


class Quarantine(Struct, frozen=True):
    """What upstream says and the guard does not let pass."""

    id: str
    """The same for the same cause and changes."""
    cause: str
    """A key of `rcmon.rules.guarding.CAUSES`."""
    message: str
    opened: float
    """When upstream first said so, or something like it."""
    whole: bool
    """Whether the whole document is held, or these sites of it."""
    proposals: tuple[Proposal, ...]
    """Sorted by site."""
    decision: Decision = "held"
    decided: float | None = None
    by: str | None = None
    reason: str | None = None

    def told(self) -> dict[str, Any]:
        """Write it as the journal has it."""
        return {
            "cause": self.cause,
            "message": self.message,
            "sites": [one.site for one in self.proposals],
            "decision": self.decision,
        }


class Effective(Struct, frozen=True):
    """What is effective of what upstream says, and what the guard remembers for that."""

    good: Mapping[str, Word] = {}
    """By site, sorted: the newest that was let pass. A site never leaves it."""
    confirmed: float | None = None
    """When the newest sound document was read; None: there was none yet."""
    held: Mapping[str, tuple[str, float]] = {}
    """By site why it is held, and when its values were last confirmed."""
    rows: Mapping[str, float] = {}
    """By site when upstream wrote the newest row that was let pass."""
    past: Mapping[str, tuple[PastWord, ...]] = {}
    """By site what was effective before, of the guard's window."""


class AgentPlan(Struct, frozen=True):
    """How far one agent is to be steered, as configured and as operators set it."""

    mode: Mode = "observe"
    weight: float = 1.0
    """At sites without one of their own."""
    team: str | None = None
    """None: as its updater is configured, or as it reports."""
    sites: Mapping[str, float] = {}
    """Weights by site."""

    def weight_at(self, site: str) -> float:
        """Tell its weight at a site."""
        return self.sites.get(site, self.weight)


class Weight(Struct, frozen=True):
    """An agent's weight as an operator set it; `site` None: at all sites without one of their own."""

    agent: str
    site: str | None
    weight: float
    made: float
    subject: str
    reason: str


class SiteControl(Struct, frozen=True, gc=False, array_like=True):
    """What one agent is to make of one site."""

    site: str
    status: str
    """As `prod_status` is served."""
    cpu: int | None
    """As `core_cpu_intensive` is served; None: no number was ever known. Likewise `io`."""
    io: int | None
    state: str | None
    """What its updater makes of the status."""
    running_slots: int | None
    """What its updater makes of the numbers; None: not known."""
    pending_slots: int | None
    state_from: str = "upstream"
    """upstream, guard, override or share."""
    slots_from: str = "upstream"
    reason: str | None = None
    """Why, where it is not from upstream."""
    confirmed: float | None = None
    """When what is held was last confirmed; None: with the whole document."""
    since: float = 0.0
    """Since when it is so."""


class AgentControl(Struct, frozen=True):
    """What one agent is to make of its sites."""

    agent: str
    team: str | None
    agents: int | None
    """N, as its updater counts the team."""
    weight: float
    problem: str | None
    """Why it cannot be steered now; None: it can."""
    sites: tuple[SiteControl, ...]
    """Sorted by name: every site that was ever known."""
    mode: Mode = "observe"
    """In which mode it was to be when this was concluded: shares are by it. A document that does not say so
    is of a release before, and nobody's."""


class ControlStanding(Struct, frozen=True):
    """How the newest control documents stand, by the cycle that concluded last."""

    version: int
    concluded: float
    """Begin of that cycle."""
    confirmed: float | None
    """When the newest sound document of upstream was read."""
    problem: str | None = None
    """Why nothing could be concluded; None: something was."""


class LastAsked(Struct, frozen=True):
    """When an agent asked for its states, and of which version its cycle's answers are."""

    agent: str
    version: int
    time: float
    earlier: tuple[float, ...] = ()
    """When it asked before, newest first."""


class Disobeyed(Struct, frozen=True, gc=False, array_like=True):
    """A value that an agent's database shows otherwise than it was served."""

    agent: str
    site: str
    what: str
    """state, running_slots or pending_slots."""
    served: int | str
    actual: int | str | None


class Steered(Struct, frozen=True):
    """What a cycle concluded of steering, as far as it is to be found."""

    quarantines: tuple[Quarantine, ...] = ()
    """Those that hold something, rejected ones included."""
    silent: Mapping[str, float | None] = {}
    """Agents in mode control that have not asked for long, and since when; None: that is not known."""
    disobeyed: tuple[Disobeyed, ...] = ()
    """Sorted by agent and site."""

"""Why the service is not healthy: every reason that there is, how bad it is, and what it means.

The rule: unhealthy is what an operator must act on, since what is shown is not, or what it shows does not
work; degraded is what goes on with less, or with what it had before.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from rcmon.process.trouble import TROUBLES
from rcmon.timestamps import iso

Level = Literal["unhealthy", "degraded"]
LEVELS = ("healthy", "degraded", "unhealthy")
"""What the service can be, best first."""


class ReasonKind(Struct, frozen=True):
    """One kind of reason; `name` is a metric label."""

    name: str
    level: Level
    meaning: str
    """In one sentence."""


class Reason(Struct, frozen=True):
    """One thing that is not as it should be."""

    name: str
    """One of KINDS."""
    level: Level
    what: str | None
    """Whom or what it concerns: a source, an agent, a component, a process, a file."""
    reason: str
    """A sentence for a person."""
    since: str | None
    """Since when, as far as it is known."""


_KINDS: tuple[ReasonKind, ...] = (
    ReasonKind("no_snapshot", "unhealthy", "No cycle has ended yet: there is nothing to show."),
    ReasonKind("data_old", "unhealthy", "The snapshot is more than five cycle intervals old."),
    ReasonKind("sources_down", "unhealthy", "The newest poll of every source failed."),
    ReasonKind("source_lost", "unhealthy", "A source fails, and its last data are too old to show."),
    ReasonKind("agent_down", "unhealthy", "No component of an agent works."),
    ReasonKind("component_down", "unhealthy", "A component of an agent has a worker that does not work."),
    ReasonKind("certificate_expired", "unhealthy", "The server's certificate has expired."),
    ReasonKind("cycle_late", "degraded", "The next cycle should have ended by now."),
    ReasonKind("clock_differs", "degraded", "The snapshot is later than this machine's clock."),
    ReasonKind("source_down", "degraded", "The newest poll of a source failed."),
    ReasonKind("data_stale", "degraded", "What is shown of a source is an earlier poll's."),
    ReasonKind("store_unreadable", "degraded", "The store cannot be read: the last snapshot stays."),
    ReasonKind("process_down", "degraded", "A process of the service is not running."),
    ReasonKind("process_falls", "degraded", "A process ends again and again just after its start."),
    ReasonKind("process_lags", "degraded", "A process's loop was held up: it answers late."),
    ReasonKind("process_ended", "degraded", "A process ended within the last two cycle intervals."),
    ReasonKind("crl_overdue", "degraded", "A revocation list is overdue: its CA's users are refused."),
    ReasonKind("crl_refused", "degraded", "A revocation list's newest content cannot be used."),
    *(
        ReasonKind(f"{what}_trouble", "degraded", f"A process says: {meaning}.")
        for what, meaning in TROUBLES.items()
    ),
)
KINDS: Mapping[str, ReasonKind] = MappingProxyType({kind.name: kind for kind in _KINDS})
"""Every kind of reason by its name, the worst first."""


def because(name: str, reason: str, what: str | None = None, since: float | None = None) -> Reason:
    """Give a reason; `since` in seconds since the epoch. Raises KeyError for an unknown name."""
    return Reason(name, KINDS[name].level, what, reason, iso(since))


def level_of(causes: Sequence[Reason]) -> str:
    """Tell one of LEVELS: the worst of the reasons, which stands first."""
    return causes[0].level if causes else "healthy"

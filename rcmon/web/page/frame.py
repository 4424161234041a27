"""What stands on every page around its content: where one is, who one is, how old what one reads is."""

from typing import Literal

from msgspec import Struct

from rcmon.access.roles import Role
from rcmon.documents.shapes import Facts
from rcmon.web.about import BASE
from rcmon.web.api.diagnosis import LATE, age
from rcmon.web.api.status_shapes import Status
from rcmon.web.api.whoami import Whoami

NAVIGATION: tuple[tuple[str, str, str], ...] = (
    ("overview", "Overview", f"{BASE}/"),
    ("findings", "Findings", f"{BASE}/findings"),
    ("journal", "Journal", f"{BASE}/journal"),
    ("quarantine", "Quarantine", f"{BASE}/quarantine"),
    ("overrides", "Overrides", f"{BASE}/overrides"),
    ("runbooks", "Runbooks", f"{BASE}/runbooks"),
    ("docs", "Docs", f"{BASE}/docs/"),
    ("api", "API", f"{BASE}/api"),
    ("about", "About", f"{BASE}/about"),
)
"""Every page that one goes to, in order: its name, its title and its path."""

Freshness = Literal["none", "ahead", "stale", "fresh"]
"""How what is shown was when the page was made: nothing, of the future, too old, new."""


class Frame(Struct, frozen=True, kw_only=True):
    """What the layout shows of the moment and of who asks. Times: seconds since the epoch."""

    here: str
    """Name of the page in NAVIGATION, or of the one that it belongs to."""
    me: Whoami
    status: Status
    now: float
    """When the page is made."""
    begun: float | None
    """When the cycle of its snapshot began; None: there is none."""
    interval: float

    @property
    def operator(self) -> bool:
        """Whether who asks may change things."""
        return Role.OPERATOR.value in self.me.roles

    @property
    def age(self) -> float | None:
        """Seconds since the snapshot began; None where there is none, or no clock tells."""
        return age(self.begun, self.now, self.interval)

    @property
    def late(self) -> float:
        """Seconds after which the next snapshot should be there."""
        return LATE * self.interval

    @property
    def freshness(self) -> Freshness:
        """Say how what is shown is."""
        if self.begun is None:
            return "none"
        if self.age is None:
            return "ahead"
        return "stale" if self.age > self.late else "fresh"


def make_frame(here: str, facts: Facts | None, status: Status, me: Whoami, now: float) -> Frame:
    """Frame a page that shows a snapshot."""
    return Frame(
        here=here,
        me=me,
        status=status,
        now=now,
        begun=facts.started if facts else None,
        interval=facts.interval if facts else status.cycle_interval,
    )

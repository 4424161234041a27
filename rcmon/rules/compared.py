"""One site in one agent, beside what is expected of it. Pure."""

from collections.abc import Mapping

from msgspec import Struct

from rcmon.model import (
    AgentExpected,
    AgentSite,
    Awaited,
    Drift,
    DriftCell,
    SiteExpected,
    SiteStatus,
    UpdaterSettings,
)
from rcmon.rules.forecast import LATE
from rcmon.rules.words import time_words


class Compared(Struct, frozen=True):
    """One site in one agent, and what is known of it."""

    agent: str
    name: str
    site: AgentSite
    want: SiteExpected
    about: AgentExpected
    settings: UpdaterSettings
    status: SiteStatus | None
    stale: str | None
    """Why the site's input is old; None: it is not."""
    waits: Mapping[str, Awaited]
    now: float

    def drift(self, reason: str, detail: str, *cells: DriftCell) -> Drift:
        """Tell that these values differ."""
        return Drift(self.agent, self.name, reason, detail, cells)


def why_not_yet(seen: Compared, what: str) -> tuple[str, str]:
    """Give reason and detail for what the updater writes in its next round, or should have written."""
    wait = seen.waits.get(what)
    if wait is not None and seen.now - wait.since <= LATE:
        return "awaited", (
            f"the input changed at {time_words(wait.since)}; "
            f"the next round of the updater of {seen.agent} writes it."
        )
    return "unexplained", (
        f"the updater of {seen.agent} should have written this: it does not run, "
        "was told something else, or somebody else wrote."
    )

"""One site in one agent, beside what is expected of it. Pure."""

from collections.abc import Mapping

from msgspec import Struct

from rcmon.model import (
    CPU_TASKS,
    IO_TASKS,
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

TASKS = (*CPU_TASKS, *IO_TASKS, "Express", "Repack")


class Plan(Struct, frozen=True):
    """What is expected of a site, so that what is right is passed over quickly."""

    tasks: tuple[tuple[str, int | None, int | None], ...]
    """Task types with their max and pending slots."""
    plain: bool
    """Whether all is known, and as capacity and status alone make it."""

    def tasks_right(self, site: AgentSite) -> bool:
        """Whether the task types' thresholds are these."""
        tasks = site.tasks
        for name, most, pending in self.tasks:
            task = tasks.get(name)
            if task is None or task.max_slots != most or task.pending_slots != pending:
                return False
        return True


def plan_of(want: SiteExpected) -> Plan:
    """Lay out what is expected."""
    rows = ((name, want.task(name)) for name in TASKS)
    return Plan(
        tuple((name, *pair) for name, pair in rows if pair is not None),
        want.state is not None
        and want.pending_slots is not None
        and (want.state, want.running_slots, want.pending_slots)
        == (want.natural, want.share_running, want.share_pending),
    )


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
    tasks_right: bool
    """Whether all task types' thresholds are as they should be."""

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

"""What an agent's ResourceControlUpdater works with, and what it should make of it.

Times are seconds since the epoch (UTC). `None` always means "not known", never zero.
"""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

CPU_TASKS = ("Processing", "Production")
"""Task types whose thresholds follow `core_cpu_intensive`."""
IO_TASKS = ("Merge", "Cleanup", "Harvesting", "LogCollect", "Skim")
"""Task types whose thresholds follow `core_io_intensive`."""

DRIFT_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "missing_input": "What the value follows from is not known, or stops the updater.",
        "stale_input": "The source of the sites' status is stale: the agent may know better.",
        "stuck_max": "The pending slots are right: the updater does not write the row, and max stays old.",
        "no_threshold": "The agent has no threshold for the task type at the site.",
        "floor": "The site's share is less than the slots that the updater gives any site.",
        "ghost_agent": "An agent that says nothing counts in the team, or another number explains the value.",
        "forced_down": "The agent's configuration forces the site Down.",
        "manual": "A person set the site's status by hand in the site status board, and the agent differs.",
        "awaited": "The input has just changed, and the updater has had less than two rounds since.",
        "unexplained": "Nothing of these: the updater does not run, or somebody else wrote.",
    }
)
"""Why a value is another than is expected."""


class UpdaterSettings(Struct, frozen=True):
    """An agent's configuration, as far as its updater reads it; defaults are those of WMAgentConfig.py."""

    team: str | None = None
    """`Agent.teamName`; None: as the agent's report says."""
    tier0: bool | None = None
    """Whether it is a tier-0 agent; None: as its components say."""
    enabled: bool = True
    only_ssb: bool = False
    """Whether sites that the site status board does not know are forced Down."""
    force_site_down: tuple[str, ...] = ()
    pending_slots_site_percent: int = 50
    pending_slots_task_percent: int = 45
    running_express_percent: int = 30
    running_repack_percent: int = 10
    t1_sites_cores: int = 30
    """Per cent of a T1 site's cores that a tier-0 agent takes."""


class SiteExpected(Struct, frozen=True, gc=False, array_like=True):
    """What one agent's updater makes of one site."""

    state: str | None = None
    """None: it leaves the state alone."""
    natural: str | None = None
    """The state that the site status board alone would give."""
    running_slots: int | None = None
    pending_slots: int | None = None
    io_slots: int | None = None
    """Most running jobs of each of IO_TASKS; of CPU_TASKS it is `running_slots`."""
    cpu_pending: int | None = None
    io_pending: int | None = None
    express: int | None = None
    """Most running Express jobs; only a tier-0 agent has them."""
    express_pending: int | None = None
    repack: int | None = None
    repack_pending: int | None = None
    share_running: int | None = None
    """`running_slots` before it is raised to the least that there is; likewise `share_pending`."""
    share_pending: int | None = None

    def task(self, name: str) -> tuple[int | None, int | None] | None:
        """Give a task type's max and pending slots; None: the updater leaves the type alone."""
        if self.running_slots is None:
            return None
        if name in CPU_TASKS:
            return self.running_slots, self.cpu_pending
        if name in IO_TASKS:
            return self.io_slots, self.io_pending
        if self.express is not None and name == "Express":
            return self.express, self.express_pending
        if self.repack is not None and name == "Repack":
            return self.repack, self.repack_pending
        return None


class AgentExpected(Struct, frozen=True):
    """What one agent's updater makes of all sites that the agent and the site status board know."""

    team: str | None = None
    agents: int | None = None
    """N: agents of its team that do not drain, as the updater counts them; 1 for one that drains."""
    ghosts: tuple[str, ...] = ()
    """Those of them that have not said anything for too long: they lower everyone's share."""
    tier0: bool | None = None
    missing: str | None = None
    """What is not known, so that all or the pending slots cannot be told; None: nothing."""
    stopped: str | None = None
    """Why the updater changes no slots at all; None: it does."""
    sites: Mapping[str, SiteExpected] = {}
    """By site name."""
    fair: Mapping[str, SiteExpected] = {}
    """The same without the ghosts; empty where there are none."""


Written = tuple[int | str | None, ...]
"""What one write of the updater sets: a state, or slots in their order."""


class Awaited(Struct, frozen=True, gc=False, array_like=True):
    """A write that an agent's updater should make in its next round."""

    value: Written
    since: float
    earlier: Written | None = None
    """What was awaited before the input changed once more: the updater may have read that."""


class Missed(Struct, frozen=True):
    """A write that was another than was forecast."""

    time: float
    site: str
    what: str
    """state, slots, cpu, io, Express or Repack."""
    forecast: Written
    written: Written


class Forecast(Struct, frozen=True):
    """What is awaited of one agent's updater, and how often it did that."""

    hits: int = 0
    """Since the store was made, likewise `misses`."""
    misses: int = 0
    awaited: Mapping[str, Mapping[str, Awaited]] = {}
    """By site, and what is to be written."""
    missed: tuple[Missed, ...] = ()
    """The last misses, newest first."""


class DriftCell(Struct, frozen=True, gc=False, array_like=True):
    """One value that is another than is expected; which task type's, or None: the site's own."""

    task: str | None
    what: str
    """state, running_slots, pending_slots, max_slots; thresholds: all of them."""
    expected: int | str | None
    actual: int | str | None


class Drift(Struct, frozen=True, array_like=True):
    """Values of one site in one agent that differ for one reason."""

    agent: str
    site: str | None
    """None: all sites."""
    reason: str
    """One of DRIFT_REASONS."""
    detail: str
    cells: tuple[DriftCell, ...]

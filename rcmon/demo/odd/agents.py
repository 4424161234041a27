"""The testbed's agents: who they are, what runs in them, and what holds of each as a whole."""

from msgspec import Struct

TEAM = "testbed"
BATCH = "wmagent-odd-jobs"
"""What the source of the testbed's job ads is called."""
TWICE = "wmagent-twice"
"""What the second source of an agent is called that has one."""
COMPONENTS: dict[str, tuple[str, ...]] = {
    "AgentStatusWatcher": ("AgentStatusPoller", "ResourceControlUpdater"),
    "JobAccountant": ("JobAccountantPoller",),
    "JobCreator": ("JobCreatorPoller",),
    "JobStatusLite": ("StatusPoller",),
    "JobSubmitter": ("JobSubmitterPoller",),
}
"""Workers by component."""
WORKERS = frozenset(name for workers in COMPONENTS.values() for name in workers)


class OddAgent(Struct, frozen=True):
    """One agent of the testbed."""

    name: str
    dead: frozenset[str] = frozenset()
    """Workers that stopped long ago."""
    drain: bool = False
    ahead: int = 0
    """Seconds by which its ResourceControlUpdater's clock is ahead."""
    most: int | None = None
    """Its schedd's MAX_JOBS_PER_OWNER, where that is told."""

    @property
    def hostname(self) -> str:
        """Its node."""
        return f"{self.name}.cern.ch"

    @property
    def is_silent(self) -> bool:
        """Tell whether nothing runs in it."""
        return self.dead == WORKERS


ODD = OddAgent("wmagent-odd", ahead=120)
"""The one whose database holds what it should not, and whose sites are each odd in another way."""
UNSTEADY = OddAgent("wmagent-unsteady")
"""The one in which things change: it drains, its sites go down and lose their slots, and all comes back."""
DRAINED = OddAgent("wmagent-drained", drain=True)
"""The one that two sources read."""
DEAF = OddAgent("wmagent-nocreator", dead=frozenset({"JobCreatorPoller"}))
"""The one that is steered, asks, and writes something else."""
SUBMITS_NOTHING = OddAgent("wmagent-nosubmitter", dead=frozenset({"JobSubmitterPoller"}))
"""The one with more jobs created than any other submits in a day."""
SILENT = OddAgent("wmagent-silent", dead=WORKERS)
"""The one in which nothing runs; it was steered when it still asked."""
FULL = OddAgent("wmagent-full", most=8)
"""The one that has as many jobs as it may: three quarters of what its schedd lets one owner have."""
ODD_AGENTS = (ODD, DRAINED, DEAF, SUBMITS_NOTHING, SILENT, UNSTEADY, FULL)

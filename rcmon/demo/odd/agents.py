"""The testbed's agents: who they are, what runs in them, and what holds of each as a whole."""

from msgspec import Struct

TEAM = "testbed"
BATCH = "wmagent-odd-jobs"
"""What the source of the testbed's job ads is called."""
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
ODD_AGENTS = (
    ODD,
    OddAgent("wmagent-drained", drain=True),
    OddAgent("wmagent-nocreator", dead=frozenset({"JobCreatorPoller"})),
    OddAgent("wmagent-nosubmitter", dead=frozenset({"JobSubmitterPoller"})),
    OddAgent("wmagent-silent", dead=WORKERS),
    UNSTEADY,
)

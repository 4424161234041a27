"""The testbed's sites, each with one thing about it that its name tells. No country has their code, XX."""

from collections.abc import Mapping

from msgspec import Struct

from rcmon.demo.grid import Slots, Thresholds, thresholds

CPU, IO = 50, 25
"""Each site's slots in the site status board: the least that agents set."""
LIMITS: Thresholds = thresholds(CPU, IO, 1)
"""What that makes for each: 50 running and 50 pending, half of it for what is bound by input and output."""
NONE = Slots(0, 0)


class OddSite(Struct, frozen=True):
    """One site. Tasks that `tasks` does not name have thresholds as they should be."""

    name: str
    state: str = "Normal"
    status: str = "enabled"
    """In the site status board."""
    days: int = 1
    """For how long it is in its state."""
    jobs: Mapping[str, tuple[int, int]] = {}
    """Pending and running, by task type."""
    slots: Slots = LIMITS.site
    tasks: Mapping[str, Slots] = {}
    idle: bool = True
    """Whether the batch system has the jobs that the database calls pending."""


PLAIN = OddSite("T3_XX_Plain", jobs={"Production": (2, 4)})
"""The one with nothing odd about it: all that is wrong there is the agent's."""

ODD_SITES: tuple[OddSite, ...] = (
    OddSite("T3_XX_Aborted", "Aborted", "disabled"),
    OddSite("T3_XX_AllZero", tasks=dict.fromkeys(LIMITS.tasks, NONE)),
    OddSite("T3_XX_Closed", "Down", "disabled", jobs={"Production": (0, 12)}),
    OddSite("T3_XX_Draining", "Draining", "drain", days=4, jobs={"Merge": (0, 3)}),
    OddSite("T3_XX_NoCmsName"),
    OddSite("T3_XX_NoPlugin", jobs={"Production": (0, 1)}),
    OddSite("T3_XX_NoSlots"),
    OddSite("T3_XX_NoStateTime"),
    OddSite("T3_XX_NoThresholds"),
    OddSite("T3_XX_NoTaskSlots", tasks={"Production": Slots(50, 0)}),
    OddSite("T3_XX_NoSiteSlots", slots=Slots(50, 0)),
    OddSite("T3_XX_NoPriority", jobs={"Skim": (25, 2)}),
    OddSite("T3_XX_NothingRuns", jobs={"Production": (15, 0)}),
    OddSite("T3_XX_PendingFull", jobs={"Production": (50, 20)}),
    OddSite("T3_XX_Phantom", jobs={"Production": (12, 3)}, idle=False),
    PLAIN,
    OddSite("T3_XX_RunningFull", jobs={"Processing": (40, 20), "Production": (0, 40)}),
    OddSite("T3_XX_SlotsImplausible"),
    OddSite("T3_XX_StateUnknown"),
    OddSite("T3_XX_TaskPendingFull", jobs={"Merge": (25, 5)}),
    OddSite("T3_XX_TaskRunningFull", jobs={"Merge": (20, 30)}),
    OddSite("T3_XX_Twice"),
    OddSite("T3_XX_UnknownPlugin", jobs={"Production": (0, 1)}),
)

UNSTEADY_SITES: tuple[OddSite, ...] = tuple(OddSite(f"T3_XX_Unsteady{number}") for number in range(1, 6))
"""What the unsteady agent has: as many as it takes for one cause to be likelier than five."""

"""WMCore's own limits of the work queue, at both stages.

Asks a list of {depth: QueueDepth, sites: what listThresholdsForCreate gives}; answers for each with
{stage: [limits, counts]} by CMS name, as `freeSlots` gives them.
"""

from stand_ins import answer, module, question


class ResourceControl:
    """Gives what is asked about."""

    sites: dict = {}  # noqa: RUF012 - WMCore makes its own instance of this

    def listThresholdsForCreate(self):  # noqa: N802 - WMCore's name
        return self.sites


module("WMCore.ResourceControl.ResourceControl", ResourceControl=ResourceControl)
module("oracledb", init_oracle_client=lambda *_: None, version="0")

from WMCore.WorkQueue.WMBSHelper import freeSlots  # noqa: E402


def both(asked):
    """Give the limits and counts of both stages."""
    ResourceControl.sites = asked["sites"]
    return {
        "agent_queue": freeSlots(asked["depth"]),
        "database": freeSlots(minusRunning=True, allowedStates=["Normal", "Draining"]),
    }


answer([both(asked) for asked in question()])

"""What job ads can say that they should not."""

from collections.abc import Mapping
from types import MappingProxyType

from rcmon.model import Meaning

FINDINGS: Mapping[str, Meaning] = MappingProxyType(
    {
        "condor_ad_of_no_agent": Meaning(
            "Job ads are of no agent (WMAgent_AgentName); they are not counted."
        ),
        "condor_ad_unreadable": Meaning(
            "Job ads have no status, task type or site that can be read; not counted.", "warning"
        ),
        "condor_idle_nowhere": Meaning(
            "Idle jobs name no site that they may run at (DESIRED_Sites); not counted.", "warning"
        ),
        "condor_running_nowhere": Meaning("Running jobs do not say at which site; they are counted at none."),
    }
)
"""Every kind of finding that reading job ads can give, in one sentence each."""

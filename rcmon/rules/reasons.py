"""Why work does not run: every reason that there is, in the order in which they are given.

A person mends configuration first, since nothing else helps before; then what somebody has decided or what
is broken; what is full mends itself.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

Tier = Literal["configuration", "administrative", "capacity"]


class Obstacle(Struct, frozen=True):
    """One reason why work does not run; `name` is a metric label."""

    name: str
    tier: Tier
    submits: Literal["no", "yes", "unknown"]
    """Whether jobs that are there are submitted all the same, so that only new ones do not come."""
    meaning: str
    """In one sentence."""


_REASONS: tuple[Obstacle, ...] = (
    Obstacle("threshold_missing", "configuration", "no", "The site has no threshold for the task type."),
    Obstacle("slots_unknown", "configuration", "unknown", "A number of slots is missing or cannot be true."),
    Obstacle("task_slots_zero", "configuration", "no", "The task type has 0 pending slots at the site."),
    Obstacle(
        "site_slots_zero", "configuration", "no", "The site has 0 pending slots (Merge: and 0 running slots)."
    ),
    Obstacle("cms_name_missing", "configuration", "yes", "The site has no CMS name: no work is let in."),
    Obstacle("plugin_missing", "configuration", "no", "The site has no plug-in to submit by."),
    Obstacle("state_unknown", "administrative", "unknown", "The state of the site is not known."),
    Obstacle("site_aborted", "administrative", "no", "The site is Aborted: it takes nothing."),
    Obstacle(
        "site_forced_down",
        "administrative",
        "no",
        "The site is Down in the agent though the site status board has it enabled: somebody holds it down.",
    ),
    Obstacle("site_down", "administrative", "no", "The site is Down: it takes nothing."),
    Obstacle(
        "site_draining",
        "administrative",
        "no",
        "The site is Draining: it takes Merge, Cleanup, Harvesting and LogCollect only.",
    ),
    Obstacle("agent_silent", "administrative", "no", "No component of the agent works."),
    Obstacle("submitter_down", "administrative", "no", "The agent's JobSubmitter does not work."),
    Obstacle(
        "agent_drain", "administrative", "yes", "The agent is in drain: it takes no new work, and submits."
    ),
    Obstacle(
        "creator_down", "administrative", "yes", "The agent's JobCreator does not work: no new jobs come."
    ),
    Obstacle(
        "agent_full",
        "capacity",
        "no",
        "The agent has as many executing jobs as it may: its part of its schedd's MAX_JOBS_PER_OWNER.",
    ),
    Obstacle("site_pending_full", "capacity", "no", "The site's pending slots are used (NoPendingSlot)."),
    Obstacle(
        "task_pending_full",
        "capacity",
        "no",
        "The task type's pending slots at the site are used (NoTaskPendingSlot).",
    ),
    Obstacle(
        "site_running_full",
        "capacity",
        "no",
        "Pending and running jobs fill all slots of the site (NoRunningSlot).",
    ),
    Obstacle(
        "task_running_full",
        "capacity",
        "no",
        "Pending and running jobs fill all slots of the task type at the site (NoTaskRunningSlot).",
    ),
    Obstacle(
        "priority_unknown",
        "capacity",
        "unknown",
        "Whether jobs overflow is not known, since the task type's priority is not.",
    ),
)
REASONS: Mapping[str, Obstacle] = MappingProxyType({kind.name: kind for kind in _REASONS})
"""Every reason by its name, in the order in which they are given."""
OF_CONDITION: Mapping[str, str] = MappingProxyType(
    {
        "NoPendingSlot": "site_pending_full",
        "NoTaskPendingSlot": "task_pending_full",
        "NoRunningSlot": "site_running_full",
        "NoTaskRunningSlot": "task_running_full",
    }
)
"""The reason that WMCore's token stands for."""

"""What the columns of an agent's database can hold: their ranges, units and signs, in one table."""

from collections.abc import Mapping
from types import MappingProxyType

from rcmon.sources.plausible import BIRTH, SKEW, Column

MOST_SLOTS = 10_000_000
"""More than the grid has: so no sum of slots is ever too large for a store, a metric or JavaScript."""
LONGEST = 10 * 366 * 86_400
"""Seconds of ten years: no interval of an agent is longer."""

_SLOTS = Column("slots_implausible", f"a whole number from 0 to {MOST_SLOTS}", 0, MOST_SLOTS)
_PRIORITY = Column("priority_implausible", "a whole number of 32 bits", -(2**31), 2**31 - 1)
_PID = Column("pid_implausible", "a whole number from 0 to 4194304", 0, 2**22)
_SPAN = Column("span_implausible", "seconds from 0 to ten years", 0, LONGEST)
_TIME = Column(
    "time_implausible", "seconds since the epoch, from the year 2000 to now", BIRTH, SKEW, ahead=True
)
_HEARTBEAT = Column("heartbeat_implausible", _TIME.right, BIRTH, SKEW, ahead=True)
_ID = Column("row_unreadable", "a whole number", -(2**63), 2**63 - 1)
_NAME = Column("row_unreadable", "a name in UTF-8 of 1 to 255 characters", 1, 255)
_LABEL = Column("text_unreadable", "a name in UTF-8 of 1 to 255 characters", 1, 255)
_SHOWN = Column("text_unreadable", "UTF-8 of at most 4000 characters", 0, 4000)

COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        "bl_status.id": _ID,
        "bl_status.name": _NAME,
        "rc_threshold.max_slots": _SLOTS,
        "rc_threshold.pending_slots": _SLOTS,
        "wm_components.id": _ID,
        "wm_components.name": _NAME,
        "wm_components.pid": _PID,
        "wm_components.update_threshold": _SPAN,
        "wm_workers.cycle_time": _SPAN,
        "wm_workers.error_message": _SHOWN,
        "wm_workers.last_error": _TIME,
        "wm_workers.last_updated": _HEARTBEAT,
        "wm_workers.name": _NAME,
        "wm_workers.outcome": _SHOWN,
        "wm_workers.pid": _PID,
        "wm_workers.poll_interval": _SPAN,
        "wm_workers.state": _SHOWN,
        "wma_init.init_value": _SHOWN,
        "wmbs_job_state.id": _ID,
        "wmbs_job_state.name": _NAME,
        "wmbs_location.cms_name": _LABEL,
        "wmbs_location.id": _ID,
        "wmbs_location.pending_slots": _SLOTS,
        "wmbs_location.plugin": _LABEL,
        "wmbs_location.running_slots": _SLOTS,
        "wmbs_location.site_name": _NAME,
        "wmbs_location.state_time": _TIME,
        "wmbs_location_state.id": _ID,
        "wmbs_location_state.name": _NAME,
        "wmbs_pnns.pnn": _SHOWN,
        "wmbs_sub_types.id": _ID,
        "wmbs_sub_types.name": _NAME,
        "wmbs_sub_types.priority": _PRIORITY,
        "wmbs_workflow.id": _ID,
        "wmbs_workflow.name": _LABEL,
        "wmbs_workflow.priority": _PRIORITY,
    }
)
"""The columns that are read, by table and name. Missing are those that only point to a row of another table
or are compared with fixed marks: whatever they hold, it fits one or none, and none is another finding."""

"""The JSON documents in WMCore's own shapes: names, units and order of fields are WMCore's.

Source: ResourceControl.listThresholdsForSubmit and listThresholdsForCreate. Each document is an object by
site name; null means "not known".
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct


class TaskThreshold(Struct, frozen=True, gc=False):
    """One task type as WMCore's listThresholdsForSubmit writes it; without a threshold the slots are null."""

    max_slots: int | None
    pending_slots: int | None
    priority: int | None
    task_pending_jobs: int
    task_running_jobs: int
    wf_highest_priority: int | None


class SiteThresholds(Struct, frozen=True, gc=False):
    """One site as WMCore's listThresholdsForSubmit writes it."""

    pnns: Sequence[str]
    state: str | None
    state_time: int | None
    """Seconds since the epoch."""
    thresholds: Mapping[str, TaskThreshold]
    total_pending_jobs: int
    total_pending_slots: int | None
    total_running_jobs: int
    total_running_slots: int | None


class SiteBacklog(Struct, frozen=True, gc=False):
    """One site as WMCore's listThresholdsForCreate writes it."""

    cms_name: str | None
    pending_jobs: Mapping[int, int]
    """By workflow priority."""
    state: str | None
    total_slots: int | None
    """The site's pending slots."""

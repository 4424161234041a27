"""Every metric family that comes from a snapshot: `COLLECTORS`, in the order they are written.

Rules: base units, `_total` only on counters, one sentence of help, bounded labels, and no sample for what
is not known. Families are built afresh from each snapshot, so what vanished vanishes. The data of a
stale source is still here until it is dropped: `rcmon_agent_polled_timestamp_seconds` tells its age, and
`rcmon_source_stale` that it is old. The service's own families are the web side's.
"""

from collections.abc import Mapping
from types import MappingProxyType

from rcmon.render.families.agents import AGENT_FAMILIES
from rcmon.render.families.cycle import CYCLE_FAMILIES
from rcmon.render.families.drift import DRIFT_FAMILIES
from rcmon.render.families.family import Family
from rcmon.render.families.info import INFO_FAMILIES
from rcmon.render.families.overrides import OVERRIDE_FAMILIES
from rcmon.render.families.sites import SITE_FAMILIES, TASK_FAMILIES
from rcmon.render.families.why import WHY_FAMILIES

COLLECTORS: Mapping[str, tuple[Family, ...]] = MappingProxyType(
    {
        "sites": (*SITE_FAMILIES, *INFO_FAMILIES),
        "tasks": TASK_FAMILIES,
        "why": WHY_FAMILIES,
        "drift": DRIFT_FAMILIES,
        "agents": AGENT_FAMILIES,
        "cycle": CYCLE_FAMILIES,
        "overrides": OVERRIDE_FAMILIES,
    }
)
"""Families by what they are asked for together as."""

FAMILIES: tuple[Family, ...] = tuple(family for families in COLLECTORS.values() for family in families)

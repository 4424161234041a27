"""Every metric family that comes from a snapshot: `FAMILIES`, in the order they are written.

Rules: base units, `_total` only on counters, one sentence of help, bounded labels, and no sample for what
is not known. Families are built afresh from each snapshot, so what vanished vanishes. The data of a
stale source is still here until it is dropped: `rcmon_agent_polled_timestamp_seconds` tells its age, and
`rcmon_source_stale` that it is old. The service's own families are the web side's.
"""

from rcmon.render.families.agents import AGENT_FAMILIES
from rcmon.render.families.cycle import CYCLE_FAMILIES
from rcmon.render.families.drift import DRIFT_FAMILIES
from rcmon.render.families.family import Family
from rcmon.render.families.overrides import OVERRIDE_FAMILIES
from rcmon.render.families.sites import SITE_FAMILIES, TASK_FAMILIES
from rcmon.render.families.why import WHY_FAMILIES

FAMILIES: tuple[Family, ...] = (
    *SITE_FAMILIES,
    *TASK_FAMILIES,
    *WHY_FAMILIES,
    *DRIFT_FAMILIES,
    *AGENT_FAMILIES,
    *CYCLE_FAMILIES,
    *OVERRIDE_FAMILIES,
)

"""What the board's fields can hold: their ranges and units, in one table."""

from collections.abc import Mapping
from types import MappingProxyType

from rcmon.model.steering import MOST_CORES
from rcmon.sources.plausible import BIRTH, SKEW, Column

_CORES = Column("ssb_cores_implausible", f"a whole number from 0 to {MOST_CORES}", 0, MOST_CORES)
_TIME = "from the year 2000 to now"
_SHOWN = Column("ssb_text_unreadable", "a text of at most 4000 characters", 0, 4000)
_LABEL = Column("ssb_text_unreadable", "a word of 1 to 255 characters", 1, 255)

COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        "core_cpu_intensive": _CORES,
        "core_io_intensive": _CORES,
        "detail": _SHOWN,
        "manual_prod": _LABEL,
        "manual_prod.mode": _LABEL,
        "manual_prod.status": _LABEL,
        "manual_prod.when": Column("ssb_time_implausible", f"a time {_TIME}", BIRTH, SKEW, ahead=True),
        "manual_prod.who": _SHOWN,
        "manual_prod.why": _SHOWN,
        "name": Column("ssb_row_unreadable", "a name of 1 to 255 characters", 1, 255),
        "prod_status": _LABEL,
        "sort": Column(
            "ssb_row_unreadable", f"milliseconds since the epoch, {_TIME}", BIRTH, SKEW, ahead=True
        ),
    }
)
"""The fields that are read; a row's time is looked at in seconds."""

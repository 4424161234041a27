"""The two exposition formats: what they are called, how a family begins in each, and how a whole ends.

Sources: Prometheus exposition formats (text 0.0.4) and the OpenMetrics 1.0 specification.
"""

from collections.abc import Mapping
from typing import Literal

Format = Literal["text", "openmetrics"]

MEDIA_TYPES: Mapping[Format, str] = {
    "text": "text/plain; version=0.0.4; charset=utf-8",
    "openmetrics": "application/openmetrics-text; version=1.0.0; charset=utf-8",
}
ENDS: Mapping[Format, bytes] = {"text": b"", "openmetrics": b"# EOF\n"}
"""What stands behind the last family."""

_UNITS = ("seconds", "bytes")
_SUFFIXES: Mapping[str, str] = {"counter": "_total", "info": "_info"}


def unit_of(name: str) -> str:
    """Read the unit of a family from its name, as OpenMetrics declares it; empty: it has none."""
    ending = name.removesuffix("_total").rpartition("_")[2]
    return ending if ending in _UNITS else ""


def head(form: Format, name: str, kind: str, description: str) -> bytes:
    """Write a family's head; `name` is that of its samples, `kind` its OpenMetrics type.

    Text 0.0.4 knows no info type; in OpenMetrics the family of a counter or info lacks its samples' suffix.
    """
    if form == "text":
        known = "gauge" if kind == "info" else kind
        return f"# HELP {name} {description}\n# TYPE {name} {known}\n".encode()
    family = name.removesuffix(_SUFFIXES.get(kind, ""))
    unit = unit_of(name)
    declared = f"# UNIT {family} {unit}\n" if unit else ""
    return f"# TYPE {family} {kind}\n{declared}# HELP {family} {description}\n".encode()

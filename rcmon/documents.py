"""The documents of a snapshot that the collector renders and the web workers serve: their names and shapes.

Both sides know this file and neither knows the other. Every document travels as a `rcmon.model.Document`.
"""

from msgspec import Struct

from rcmon.model import Jobs, SourceState

METRICS_TEXT = "metrics.text"
"""Text exposition 0.0.4 of the snapshot's families, open-ended: a worker appends the service's own."""
METRICS_OPENMETRICS = "metrics.openmetrics"
"""OpenMetrics 1.0 likewise; the `# EOF` line is the worker's."""
SITES = "sites"
"""JSON: all sites, whole."""
AGENTS = "agents"
"""JSON: all agents in short."""
QUALITY = "quality"
"""JSON: all findings."""
FACTS = "facts"
"""MessagePack of `Facts`."""
SITES_INDEX = "sites.index"
"""MessagePack of `tuple[SiteEntry, ...]`, sorted by name."""


def agent(name: str) -> str:
    """Name the JSON document of one agent, whole."""
    return f"agents/{name}"


def thresholds(name: str) -> str:
    """Name the JSON document of one agent's thresholds, as WMCore's listThresholdsForSubmit shapes it."""
    return f"agents/{name}/thresholds"


def backlog(name: str) -> str:
    """Name the JSON document of one agent's backlog, as WMCore's listThresholdsForCreate shapes it."""
    return f"agents/{name}/backlog"


class Facts(Struct, frozen=True):
    """What the status document and the page say of a snapshot. Times: seconds since the epoch."""

    started: float
    """Begin of the cycle."""
    duration: float
    interval: float
    sources: tuple[SourceState, ...]
    agents: tuple[str, ...]
    """Names of the agents in the snapshot, sorted."""
    findings: int
    """Number of findings."""


class SiteEntry(Struct, frozen=True):
    """One site in short, for filters, sorting and tables, with its whole JSON document."""

    name: str
    tier: str | None
    state: str | None
    states: dict[str, tuple[str, ...]]
    agents: tuple[str, ...]
    running_slots: int | None
    pending_slots: int | None
    jobs: Jobs
    document: bytes
    """The site's JSON object, compact."""

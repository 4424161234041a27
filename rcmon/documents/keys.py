"""The documents of a snapshot that the collector renders and the web workers serve: their names.

Both sides know this file and neither knows the other. Every document travels as a `rcmon.model.Document`.
"""

FORMAT = 2
"""The format of all documents together: it grows when one that is there is made or read differently.

A document or a field that is only added changes nothing: who does not know it goes without. Format 1 called
the findings `quality`.
"""
READABLE = frozenset({1, 2})
"""Formats whose documents for the web side alone can be read here; the others are served as they are."""

METRICS_TEXT = "metrics.text"
"""Text exposition 0.0.4 of the snapshot's families, open-ended: a worker appends the service's own."""
METRICS_OPENMETRICS = "metrics.openmetrics"
"""OpenMetrics 1.0 likewise; the `# EOF` line is the worker's."""
METRICS_PIECES = "metrics.pieces"
"""Deflated pieces of them by agent, one after the other: those that are no pieces of the whole."""
METRICS_INDEX = "metrics.index"
"""MessagePack of `rcmon.documents.pieces.PiecesIndex`."""
SITES = "sites"
"""JSON: all sites, whole."""
AGENTS = "agents"
"""JSON: all agents in short."""
FINDINGS = "findings"
"""JSON: all findings."""
OVERVIEW = "overview"
"""JSON: all sites in short, and the maps of what is submitted where."""
FACTS = "facts"
"""MessagePack of `Facts`."""
SITES_INDEX = "sites.index"
"""MessagePack of `tuple[SiteEntry, ...]`, sorted by name."""
DRIFT = "drift"
"""MessagePack of `tuple[Drift, ...]`, sorted by agent and site."""
EXPECTED = "expected"
"""MessagePack of `dict[str, AgentExpected]`, by agent."""

WHY = "why"
"""MessagePack of `rcmon.documents.why.WhyIndex`: whether agents submit, and why not."""


def agent(name: str) -> str:
    """Name the JSON document of one agent, whole."""
    return f"agents/{name}"


def thresholds(name: str) -> str:
    """Name the JSON document of one agent's thresholds, as WMCore's listThresholdsForSubmit shapes it."""
    return f"agents/{name}/thresholds"


def backlog(name: str) -> str:
    """Name the JSON document of one agent's backlog, as WMCore's listThresholdsForCreate shapes it."""
    return f"agents/{name}/backlog"

"""WMStats: what every agent says of itself, dead ones included."""

from rcmon.sources.base import SourceKind
from rcmon.sources.wmstats.findings import FINDINGS
from rcmon.sources.wmstats.source import WMStatsConfig, WMStatsSource

WMSTATS = SourceKind(WMStatsConfig, WMStatsSource, FINDINGS)

__all__ = ["WMSTATS", "WMStatsConfig", "WMStatsSource"]

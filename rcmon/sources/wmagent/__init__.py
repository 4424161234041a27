"""The database of one WMAgent: everything that its resource control, job tables and components say."""

from rcmon.sources.base import SourceKind
from rcmon.sources.wmagent.findings import FINDINGS
from rcmon.sources.wmagent.source import WMAgentConfig, WMAgentSource

WMAGENT = SourceKind(WMAgentConfig, WMAgentSource, FINDINGS)

__all__ = ["WMAGENT", "WMAgentConfig", "WMAgentSource"]

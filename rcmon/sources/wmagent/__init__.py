"""The database of one WMAgent: everything that its resource control, job tables and components say."""

from rcmon.sources.wmagent.source import WMAgentSource

__all__ = ["WMAgentSource"]

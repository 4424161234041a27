"""Reports: what an agent says of itself, pushed here or read from WMStats; one reader for both."""

from rcmon.reports.agent_info import AgentInfo
from rcmon.reports.reading import (
    AGENT_INFO,
    KINDS,
    SUBMIT_REPORT,
    NotJson,
    NotReport,
    ReportError,
    Understood,
    read_agent_info,
    understand,
)

__all__ = [
    "AGENT_INFO",
    "KINDS",
    "SUBMIT_REPORT",
    "AgentInfo",
    "NotJson",
    "NotReport",
    "ReportError",
    "Understood",
    "read_agent_info",
    "understand",
]

"""The site status board (SSB) through MonIT's Grafana proxy: what sites should do, and how much they can."""

from rcmon.sources.base import SourceKind
from rcmon.sources.ssb.findings import FINDINGS
from rcmon.sources.ssb.source import SSBConfig, SSBSource

SSB = SourceKind(SSBConfig, SSBSource, FINDINGS)

__all__ = ["SSB", "SSBConfig", "SSBSource"]

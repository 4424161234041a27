"""Job ads of HTCondor: what is idle for a site, what can run nowhere else, and what runs there."""

from rcmon.sources.base import SourceKind
from rcmon.sources.condor.findings import FINDINGS
from rcmon.sources.condor.source import CondorConfig, CondorSource

CONDOR = SourceKind(CondorConfig, CondorSource, FINDINGS)

__all__ = ["CONDOR", "CondorConfig", "CondorSource"]

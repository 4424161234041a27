"""The catalogue of the grid's sites (CRIC): what sites are called, and which storage they read from."""

from rcmon.sources.base import SourceKind
from rcmon.sources.cric.findings import FINDINGS
from rcmon.sources.cric.source import CRICConfig, CRICSource

CRIC = SourceKind(CRICConfig, CRICSource, FINDINGS)

__all__ = ["CRIC", "CRICConfig", "CRICSource"]

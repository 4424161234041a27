"""The sources of what is known: one folder per kind, all of them listed here."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from rcmon.model import Meaning
from rcmon.sources.base import SourceKind
from rcmon.sources.condor import CONDOR
from rcmon.sources.cric import CRIC
from rcmon.sources.ssb import SSB
from rcmon.sources.wmagent import WMAGENT
from rcmon.sources.wmstats import WMSTATS

KINDS: Sequence[SourceKind] = (
    WMAGENT,
    SSB,
    CRIC,
    CONDOR,
    WMSTATS,
)  # fmt: skip
"""Every kind of source."""

FINDINGS: Mapping[str, Meaning] = MappingProxyType(
    {name: meaning for kind in KINDS for name, meaning in kind.findings.items()}
)
"""Every kind of finding that a poll can give, in one sentence each, with its severity."""

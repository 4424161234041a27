"""The sources of what is known: one folder or file per kind, all of them listed here."""

from collections.abc import Mapping
from types import MappingProxyType

from rcmon.sources.base import Factory
from rcmon.sources.wmagent import WMAgentSource

KINDS: Mapping[str, Factory] = MappingProxyType(
    {
        "wmagent": WMAgentSource,
    }
)
"""Every kind of source: what makes one from its configuration."""

"""VOMS: the attributes (groups, roles) that a virtual organisation grants its members in their proxies."""

from rcmon.access.authority.voms.attributes import VomsAttributes
from rcmon.access.authority.voms.fqan import Fqan, normalise

__all__ = ["Fqan", "VomsAttributes", "normalise"]

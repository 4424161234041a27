"""What WMStats can say that it should not."""

from collections.abc import Mapping
from types import MappingProxyType

from rcmon.model import Meaning

FINDINGS: Mapping[str, Meaning] = MappingProxyType(
    {
        "wmstats_document_unreadable": Meaning(
            "Documents of WMStats are no agent's, or bear no time that can be true; left out.", "warning"
        ),
    }
)
"""Every kind of finding that reading WMStats can give, in one sentence each."""

"""What the catalogue can say that it should not."""

from collections.abc import Mapping
from types import MappingProxyType

FINDINGS: Mapping[str, str] = MappingProxyType(
    {
        "cric_cms_name_ambiguous": "The catalogue has several CMS names for a processing site: unknown.",
        "cric_row_unreadable": "Rows of the catalogue lack a name or a column; left out.",
    }
)
"""Every kind of finding that reading the catalogue can give, in one sentence each."""

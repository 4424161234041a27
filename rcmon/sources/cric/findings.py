"""What the catalogue can say that it should not."""

from collections.abc import Mapping
from types import MappingProxyType

from rcmon.model import Meaning

FINDINGS: Mapping[str, Meaning] = MappingProxyType(
    {
        "cric_cms_name_ambiguous": Meaning(
            "The catalogue has several CMS names for a processing site: unknown."
        ),
        "cric_row_unreadable": Meaning("Rows of the catalogue lack a name or a column; left out."),
    }
)
"""Every kind of finding that reading the catalogue can give, in one sentence each."""

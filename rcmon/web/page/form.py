"""What the page's form asks: forgiving, since a person typed it."""

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from msgspec import Meta, structs

from rcmon.documents.shapes import SiteEntry
from rcmon.web.api.query import Many
from rcmon.web.api.site_query import SiteSelection, select

_WILD = re.compile(r"[*?\[]")

ColumnName = Literal[
    "tier", "state", "running_jobs", "running_slots", "pending_jobs", "pending_slots", "agents"
]
# whatever is typed finds something or nothing
Part = Annotated[
    str, Meta(max_length=100, description="parts of names, in any case, with the wildcards *, ? and [...]")
]


class PageQuery(SiteSelection, frozen=True, kw_only=True):
    """Which sites the page shows, in which order."""

    site: Many[Part] = ()
    """Parts of names."""
    columns: Many[ColumnName] = ()
    """Which columns the table has; none: the usual ones."""


def chosen(sites: Iterable[SiteEntry], asked: PageQuery) -> Sequence[SiteEntry]:
    """Pick the sites whose names hold what was typed, or match it as a whole where it has a wildcard."""
    return select(sites, structs.replace(asked, site=globs(asked.site)), re.IGNORECASE)


def globs(parts: Iterable[str]) -> tuple[str, ...]:
    """Make patterns of whole names of what was typed."""
    return tuple(_glob(part.strip()) for part in parts if part.strip())


def _glob(part: str) -> str:
    return part if _WILD.search(part) else f"*{part}*"

"""What the page shows of overrides."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from rcmon.model import Override
from rcmon.timestamps import iso
from rcmon.web.api.override_body import address
from rcmon.web.page.overview import minute, number

_LASTS = {"latched": "until somebody ends it", "toggle": "until what holds by itself agrees"}


class OverrideRow(Struct, frozen=True):
    """One override as the table shows it."""

    site: str
    agent: str | None
    link: str
    sets: str
    lasts: str
    reason: str
    by: str
    made: str | None


def override_rows(overrides: Iterable[Override]) -> Sequence[OverrideRow]:
    """Show overrides, as they come."""
    return [_row(one) for one in overrides]


def _row(one: Override) -> OverrideRow:
    sets: list[str] = [one.state] if one.state else []
    sets += [f"{number(one.running)} running slots"] if one.running is not None else []
    sets += [f"{number(one.pending)} pending slots"] if one.pending is not None else []
    return OverrideRow(
        site=one.site,
        agent=one.agent,
        link=f"{address(one)}?pretty",
        sets=", ".join(sets),
        lasts=_LASTS.get(one.mode) or f"until {minute(iso(one.until))}",
        reason=one.reason,
        by=one.subject,
        made=iso(one.made),
    )

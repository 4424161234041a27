"""What the two who put sites together over agents share: of the snapshot, and of a past moment. Pure."""

import re
from collections.abc import Iterable

_FORM = re.compile(r"(T[0-3])_([A-Z]{2})_.")
"""The grid's site names are tier, country and name: T2_CH_CERN."""


def tier(name: str) -> str | None:
    """Read the tier from a site's name: T0 to T3; None where the name is of another form."""
    match = _FORM.match(name)
    return match[1] if match else None


def country(name: str) -> str | None:
    """Read the country from a site's name: two letters; None where the name is of another form."""
    match = _FORM.match(name)
    return match[2] if match else None


def known_sum(values: Iterable[int | None]) -> int | None:
    """Add up what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None

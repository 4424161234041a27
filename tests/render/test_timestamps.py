"""Times are written in UTC with their zone; what is no time is not known."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rcmon.timestamps import epoch, iso


@pytest.mark.parametrize(
    ("time", "written"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_767_268_800, "2026-01-01T12:00:00Z"),
        (1_767_268_800.0, "2026-01-01T12:00:00Z"),
        (1_767_268_800.25, "2026-01-01T12:00:00.250Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (None, None),
        (math.nan, None),
        (math.inf, None),
        (1e18, None),
        (-1e18, None),
        (10**400, None),
    ],
)
def test_iso(time: float | None, written: str | None) -> None:
    assert iso(time) == written


@given(st.floats(-6e10, 2e11))
def test_iso_is_read_back_to_the_millisecond(time: float) -> None:
    written = iso(time)
    assert written is not None
    moment = datetime.fromisoformat(written)
    assert moment.tzinfo == UTC
    assert abs(moment.timestamp() - time) < 0.00101


@pytest.mark.parametrize(
    ("time", "written"),
    [(1_767_157_934.0, 1_767_157_934), (1.9, 1), (None, None), (math.nan, None), (-math.inf, None)],
)
def test_epoch(time: float | None, written: int | None) -> None:
    assert epoch(time) == written

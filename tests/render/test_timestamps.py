"""Times are written in UTC with their zone; what is no time is not known."""

import math
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rcmon.timestamps import before, epoch, iso, milliseconds, moment


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_767_268_800, "2026-01-01T12:00:00Z"),
        (1_767_268_800.0, "2026-01-01T12:00:00Z"),
        (1_767_268_800.25, "2026-01-01T12:00:00.250Z"),
        (1_767_268_800.0222, "2026-01-01T12:00:00.023Z"),
        (1_767_268_800.000_000_4, "2026-01-01T12:00:00.001Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (None, None),
        (math.nan, None),
        (math.inf, None),
        (1e18, None),
        (-1e18, None),
        (10**400, None),
    ],
)
def test_iso(moment: float | None, written: str | None) -> None:
    assert iso(moment) == written


def test_the_machines_own_zone_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Chicago")
    time.tzset()
    try:
        assert iso(1_767_268_800) == "2026-01-01T12:00:00Z"
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.floats(-6e10, 2e11))
def test_iso_is_read_back_to_the_millisecond(moment: float) -> None:
    written = iso(moment)
    assert written is not None
    read = datetime.fromisoformat(written)
    assert read.tzinfo == UTC
    assert abs(read.timestamp() - moment) < 0.00101


@given(st.floats(0, 2e11))
def test_what_is_told_is_no_earlier_and_is_told_the_same_again(time: float) -> None:
    written = iso(time)
    assert written is not None
    told = moment(written)
    assert told is not None
    assert before(told) < time <= told
    assert (iso(told), milliseconds(told)) == (written, milliseconds(time))


@pytest.mark.parametrize(
    ("moment", "written"),
    [(1_767_157_934.0, 1_767_157_934), (1.9, 1), (None, None), (math.nan, None), (-math.inf, None)],
)
def test_epoch(moment: float | None, written: int | None) -> None:
    assert epoch(moment) == written

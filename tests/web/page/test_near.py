"""Names that are like one that is not there."""

import pytest

from rcmon.web.page.near import MOST, near
from tests.web.grid import SITES


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("T2_CH_CERM", "T2_CH_CERN"),
        ("t2_us_mit", "T2_US_MIT"),
        ("Vienna", "T2_AT_Vienna"),
        ("T1_DE_KITT", "T1_DE_KIT"),
    ],
)
def test_the_nearest_stands_first(typed: str, first: str) -> None:
    assert near(typed, SITES)[0] == first


def test_what_is_like_nothing_has_none() -> None:
    assert near("zzzzzzzz", SITES) == []
    assert near("", SITES) == []
    assert near("x" * 100_000, SITES) == []


def test_there_are_few_of_them() -> None:
    assert len(near("T2", SITES)) == MOST


def test_names_that_differ_in_case_alone_are_both_there() -> None:
    assert near("site", ["SITE", "Site", "other"]) == ["SITE", "Site"]

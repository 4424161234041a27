"""Who has not asked for long, whatever became of the clock."""

import pytest

from rcmon.model.freshness import AHEAD
from rcmon.model.steering import LastAsked
from rcmon.rules.obeying import SILENT_AFTER, silent

NOW = 1_800_000_000.0
HOUR = 3600.0
NOT = "it is not silent"


@pytest.mark.parametrize(
    ("asked", "set_lately", "expected"),
    [
        (NOW - 30, 0, NOT),
        (NOW - SILENT_AFTER, 0, NOT),
        (NOW - SILENT_AFTER - 1, 0, NOW - SILENT_AFTER - 1),
        (NOW + AHEAD, 0, NOT),
        (NOW + AHEAD + 1, 0, None),
        (NOW + 7 * 24 * HOUR, 0, None),
        (NOW - 2 * HOUR - 30, 2 * HOUR, NOT),
        (NOW - 2 * HOUR - SILENT_AFTER - 1, 2 * HOUR, NOW - SILENT_AFTER - 1),
        (NOW - 30, 2 * HOUR, NOT),
        (NOW - HOUR, 2 * HOUR, NOW - HOUR),
        (NOW + 2 * HOUR - 30, -2 * HOUR, NOT),
        (NOW + 2 * HOUR - SILENT_AFTER - 1, -2 * HOUR, NOW - SILENT_AFTER - 1),
        (NOW - 30, -2 * HOUR, NOT),
        (NOW + 3 * HOUR, -2 * HOUR, None),
    ],
)
def test_an_agent_is_silent_by_the_clock_that_told_when_it_asked(asked, set_lately, expected):
    found = silent(["a"], [LastAsked("a", 1, asked)], NOW, set_lately)
    assert found == ({} if expected is NOT else {"a": expected})


def test_nobody_is_silent_who_is_not_to_obey_or_never_asked():
    assert silent(["a"], [LastAsked("b", 1, NOW - 2 * SILENT_AFTER)], NOW) == {}

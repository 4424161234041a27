"""A site's jobs over time: what is not known is a gap, never 0."""

import pytest

from rcmon.web.api.past import Part, SiteStep, TaskStep
from rcmon.web.api.stepped import Stepped
from rcmon.web.page.chart import HEIGHT, RANGES, SCALES, WIDTH, JobsThen, moments, nice, part_of, pictures

PART = Part(0, 300, 100)


def step(running: int | None, slots: int | None = 10) -> SiteStep:
    return SiteStep(None, "Normal", slots, slots, running, running)


def test_agents_are_summed_up_as_far_as_they_are_known() -> None:
    nothing = SiteStep(None, None, None, None, None, None)
    found = Stepped([0, 100], {"a": [step(1), step(2)], "b": [step(5), nothing]}, 0)
    assert [(one.running, one.running_slots) for one in moments(found, "")] == [(6, 20), (2, 10)]
    unknown = Stepped([0], {"a": [nothing], "b": [nothing]}, 0)
    assert [one.known for one in moments(unknown, "")] == [False]
    assert [one.known for one in moments(Stepped([0, 100], {}, 0), "")] == [False, False]


def test_a_task_types_slots_are_its_own() -> None:
    found = Stepped([0], {"a": [TaskStep(None, 3, 4, 30, 40)]}, 0)
    assert moments(found, "Merge") == [JobsThen("1970-01-01T00:00:00Z", 3, 30, 4, 40)]


def test_what_is_not_known_is_a_gap() -> None:
    times = ("1970-01-01T00:00:00Z", "1970-01-01T00:01:40Z", "1970-01-01T00:03:20Z")
    values = (10, None, 0)
    found = [JobsThen(time, value, 10, None, None) for time, value in zip(times, values, strict=True)]
    running, pending = pictures(found, PART)
    assert running.top == 10
    assert running.area == f"M0 0h1V{HEIGHT}H0ZM400 {HEIGHT}h1V{HEIGHT}H400Z"
    assert running.line == "M0 0H200V0H400V0"
    assert (pending.area, pending.line, pending.top) == ("", "", 0)


def test_where_nothing_is_known_nothing_is_drawn() -> None:
    assert pictures([JobsThen("1970-01-01T00:00:00Z", None, None, None, None)], PART) == ()
    assert pictures([], PART) == ()


def test_the_window_is_drawn_from_edge_to_edge() -> None:
    found = [JobsThen(time, 5, 5, 5, 5) for time in ("1970-01-01T00:00:00Z", "1970-01-01T00:05:00Z")]
    assert pictures(found, PART)[0].line == f"M0 0H{WIDTH}V0"


@pytest.mark.parametrize(
    ("most", "top"), [(0, 0), (1, 1), (7, 8), (9, 10), (10, 10), (11, 15), (450, 500), (999_999, 1_000_000)]
)
def test_the_upper_edge_is_round_and_no_less(most: int, top: int) -> None:
    assert nice(most) == top


@pytest.mark.parametrize("name", RANGES)
def test_each_range_has_few_rows_and_enough_points(name: str) -> None:
    scale = SCALES[name]
    assert 12 <= scale.length / scale.coarse <= 40
    assert 60 <= scale.length / scale.fine <= 400
    assert part_of(name, 1e9).until - part_of(name, 1e9).since == scale.length  # type: ignore[arg-type]

"""Counting: one row is enough for a metric to be counted by any process, summed, and told."""

import time

import pytest

from rcmon.process.scoreboard import Scoreboard
from rcmon.telemetry.layout import Layout
from rcmon.telemetry.metric import counter, gauge, histogram
from rcmon.telemetry.tally import Tally
from rcmon.web.telemetry.totals import Totals

COLOURS = counter("rcmon_colours_total", "Colours.", {"colour": ("red", "blue")})
RARE = counter("rcmon_rare_total", "Rare things.", {"colour": ("red", "blue")}, sparse=True)
OPEN = gauge("rcmon_open", "Open things.")
OLDEST = gauge("rcmon_oldest_seconds", "Oldest.", {"colour": ("red", "blue")}, "least")
NEWEST = gauge("rcmon_newest_seconds", "Newest.", {}, "most")
TIMES = histogram("rcmon_time_seconds", "Times.", (0.1, 1.0), {"colour": ("red", "blue")})
LAYOUT = Layout({}, (COLOURS, RARE, OPEN, OLDEST, NEWEST, TIMES))


@pytest.fixture
def board() -> Scoreboard:
    board = Scoreboard(3, LAYOUT.size)
    for number, slot in enumerate(board.slots, 1):
        slot.occupy(number, time.monotonic())
    return board


@pytest.fixture
def totals(board: Scoreboard) -> Totals:
    return Totals(LAYOUT, board)


@pytest.fixture
def tallies(board: Scoreboard) -> list[Tally]:
    return [Tally(LAYOUT, slot.cells) for slot in board.slots]


def test_counts_are_summed_over_processes(tallies: list[Tally], totals: Totals) -> None:
    tallies[0].count(COLOURS, "red")
    tallies[2].count(COLOURS, "red", by=2.5)
    assert dict(totals.samples(COLOURS)) == {("red",): 3.5, ("blue",): 0.0}
    tallies[1].count(RARE, "blue")
    assert dict(totals.samples(RARE)) == {("blue",): 1.0}


def test_gauges_are_gathered_as_their_row_says(tallies: list[Tally], totals: Totals) -> None:
    assert totals.value(OPEN) == 0.0
    tallies[0].change(OPEN, 2)
    tallies[1].change(OPEN, 1)
    tallies[1].change(OPEN, -1)
    tallies[0].set(OLDEST, 7.0, "red")
    tallies[1].set(OLDEST, 5.0, "red")
    tallies[0].set(NEWEST, -7.0)
    tallies[1].set(NEWEST, -5.0)
    assert totals.value(OPEN) == 2.0
    assert totals.value(OLDEST, "red") == 5.0
    assert totals.value(NEWEST) == -5.0


def test_what_nobody_set_is_not_known(tallies: list[Tally], totals: Totals) -> None:
    """Not 0: a monitor never shows 0 for what it does not know."""
    assert dict(totals.samples(OLDEST)) == {("red",): None, ("blue",): None}
    tallies[0].set(OLDEST, 0.0, "red")
    tallies[1].set(OLDEST, 4.0, "red")
    assert dict(totals.samples(OLDEST)) == {("red",): 0.0, ("blue",): None}
    tallies[0].begin()
    assert totals.value(OLDEST, "red") == 4.0


def test_counts_outlive_their_process_and_gauges_do_not(
    board: Scoreboard, tallies: list[Tally], totals: Totals
) -> None:
    for tally in tallies[:2]:
        tally.count(COLOURS, "red")
        tally.observe(TIMES, 0.5, "red")
        tally.change(OPEN, 3)
        tally.set(OLDEST, 5.0, "red")
    board.slot(0).vacate(0.0)
    assert totals.value(OPEN) == 3.0  # nothing old is told while nobody is there
    board.slot(0).occupy(9, time.monotonic())
    Tally(LAYOUT, board.slot(0).cells).begin()
    assert totals.value(OPEN) == 3.0
    tallies[1].begin()
    assert totals.value(OLDEST, "red") is None
    assert totals.value(COLOURS, "red") == 2.0
    ((_, counts, _),) = totals.histograms(TIMES)
    assert counts[-1] == 2.0


def test_a_histogram_is_cumulative_and_a_bound_is_inclusive(tallies: list[Tally], totals: Totals) -> None:
    for tally, seconds in zip(tallies, (0.1, 1.0, 99.0), strict=True):
        tally.observe(TIMES, seconds, "red")
    assert list(totals.histograms(TIMES)) == [(("red",), [1.0, 2.0, 3.0], pytest.approx(100.1))]


def test_a_label_that_no_row_declares_is_refused(tallies: list[Tally]) -> None:
    with pytest.raises(ValueError, match="no series"):
        tallies[0].count(COLOURS, "green")

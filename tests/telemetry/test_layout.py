"""Cells: every series of every metric has its own, and only series that a row declares."""

import pytest

from rcmon.telemetry.layout import Layout, width
from rcmon.telemetry.metric import Metric, counter, gauge, histogram
from rcmon.telemetry.own import OTHER, OWN

COLOURS = counter("rcmon_colours_total", "Colours.", {"colour": ("red", "blue"), "place": None})
LEVEL = gauge("rcmon_level", "Level.")
TIMES = histogram("rcmon_time_seconds", "Times.", (0.1, 1.0), {"colour": ("red", OTHER)})
GIVEN = {"place": ("here", "there"), "route": ("/a", "/b/{site}")}


@pytest.mark.parametrize("table", [(COLOURS, LEVEL, TIMES), OWN], ids=["made up", "our own"])
def test_no_two_series_share_a_cell(table: tuple[Metric, ...]) -> None:
    layout = Layout(GIVEN, table)
    cells = [
        first + number
        for metric in table
        for first in layout.cells(metric)
        for number in range(width(metric))
    ]
    assert sorted(cells) == list(range(layout.size))


def test_a_series_is_found_by_its_labels() -> None:
    layout = Layout(GIVEN, (COLOURS, LEVEL, TIMES))
    for metric in layout.table:
        found = [layout.cell(metric, labels) for labels in layout.series(metric)]
        assert found == list(layout.cells(metric))
    assert list(layout.series(COLOURS)) == [
        (colour, place) for colour in ("red", "blue") for place in ("here", "there", OTHER)
    ]


def test_an_unknown_value_is_other_where_there_is_such_a_one() -> None:
    layout = Layout(GIVEN, (COLOURS, TIMES))
    assert layout.cell(COLOURS, ("red", "nowhere")) == layout.cell(COLOURS, ("red", OTHER))
    assert layout.cell(TIMES, ("green",)) == layout.cell(TIMES, (OTHER,))
    for labels in (("green", "here"), ("red",), ()):
        with pytest.raises(ValueError, match=r"rcmon_colours_total|zip"):
            layout.cell(COLOURS, labels)


def test_every_label_of_our_own_is_from_a_fixed_set() -> None:
    """Else a client could make series: only the routes are given, by the application's own table."""
    given = {label for metric in OWN for label, values in metric.labels.items() if values is None}
    assert given == {"route"}
    for metric in OWN:
        for values in metric.labels.values():
            assert values is None or len(set(values)) == len(values)

"""The counters: every label has a cell of its own, and totals go over all processes."""

from itertools import product

import pytest

from rcmon.process.scoreboard import Scoreboard
from rcmon.web.telemetry.counters import (
    BUCKETS,
    CODES,
    FAILURES,
    METHODS,
    OTHER_ROUTE,
    RELOADS,
    ROLES,
    Counters,
    Layout,
    Tally,
)

ROUTES = ("/a", "/b/{site}")


@pytest.fixture
def layout():
    return Layout(ROUTES)


@pytest.fixture
def board(layout):
    return Scoreboard(2, layout.size)


@pytest.fixture
def tallies(layout, board):
    return [Tally(layout, slot.cells) for slot in board.slots]


@pytest.fixture
def counters(layout, board, tallies):
    return Counters(layout, board)


def test_no_two_counts_share_a_cell(layout):
    cells = [
        layout.request(*labels)
        for labels in product((*ROUTES, "x"), (*METHODS[:-1], "x"), (*CODES, 100, 299))
    ]
    cells += [layout.duration(route) + n for route in (*ROUTES, "x") for n in range(len(BUCKETS) + 2)]
    cells += [layout.connections, layout.connections + 1]
    cells += [layout.failures + n for n in range(len(FAILURES))]
    cells += [layout.decisions + n for n in range(len(ROLES) * 2)]
    cells += [layout.reloads + n for n in range(len(RELOADS) * 2)]
    assert len(set(cells)) == len(cells)
    assert max(cells) == layout.size - 1


def test_requests_are_summed_over_processes(tallies, counters):
    tallies[0].request("/a", "GET", 200, 0.002)
    tallies[1].request("/a", "GET", 200, 0.002)
    tallies[1].request("/b/{site}", "HEAD", 404, 0.002)
    assert list(counters.requests()) == [("/a", "GET", "200", 2.0), ("/b/{site}", "HEAD", "404", 1.0)]


def test_a_client_cannot_make_a_series(tallies, counters):
    tallies[0].request("/nowhere", "BREW", 418, 0.002)
    tallies[0].request("/elsewhere", "MAKE", 999, 0.002)
    assert list(counters.requests()) == [
        (OTHER_ROUTE, "other", "4xx", 1.0),
        (OTHER_ROUTE, "other", "5xx", 1.0),
    ]


def test_durations_are_cumulative_and_a_bound_is_inclusive(tallies, counters):
    for seconds in (BUCKETS[0], BUCKETS[1], 99.0):
        tallies[0].request("/a", "GET", 200, seconds)
    ((route, counts, total),) = counters.durations()
    assert route == "/a"
    assert counts == [1.0] + [2.0] * (len(BUCKETS) - 1) + [3.0]
    assert total == pytest.approx(99.0 + BUCKETS[0] + BUCKETS[1])


def test_a_restarted_process_keeps_its_counts_but_not_its_connections(layout, board, tallies, counters):
    tallies[0].opened()
    tallies[1].opened()
    tallies[0].failed("timeout")
    tallies[0].decided("reader", granted=False)
    tallies[0].reloaded("crl", succeeded=True)
    Tally(layout, board.slots[0].cells).begin()
    assert counters.connections() == 1.0
    assert counters.connections_accepted() == 2.0
    assert dict(counters.handshake_failures())["timeout"] == 1.0
    assert ("reader", "denied", 1.0) in list(counters.decisions())
    assert ("crl", "success", 1.0) in list(counters.reloads())
    tallies[1].closed()
    assert counters.connections() == 0.0

"""Requests are counted by route, method and code, none of which a client can invent."""

from rcmon.process.scoreboard import Scoreboard
from rcmon.telemetry.layout import Layout
from rcmon.telemetry.own import BUCKETS, DECISIONS, DURATIONS, OTHER, REQUESTS
from rcmon.telemetry.tally import Tally
from rcmon.web.telemetry.totals import Totals
from rcmon.web.transport.request_count import RequestCount

LAYOUT = Layout({"route": ("/a", "/b/{site}")})


def test_requests_are_counted_and_measured() -> None:
    board = Scoreboard(2, LAYOUT.size)
    first, second = (RequestCount(Tally(LAYOUT, slot.cells)) for slot in board.slots)
    for requests in (first, second, second):
        requests.answered("/a", "GET", 200, BUCKETS[1])
    second.answered("/b/{site}", "HEAD", 404, 99.0)
    totals = Totals(LAYOUT, board)
    assert dict(totals.samples(REQUESTS)) == {("/a", "GET", "200"): 3.0, ("/b/{site}", "HEAD", "404"): 1.0}
    assert [(labels, counts[:2], counts[-1]) for labels, counts, _ in totals.histograms(DURATIONS)] == [
        (("/a",), [0.0, 3.0], 3.0),
        (("/b/{site}",), [0.0, 0.0], 1.0),
    ]


def test_a_client_cannot_make_a_series() -> None:
    board = Scoreboard(1, LAYOUT.size)
    requests = RequestCount(Tally(LAYOUT, board.slot(0).cells))
    for number in range(1000):
        requests.answered(f"/nowhere/{number}", f"BREW{number}", 418, 0.002)
    requests.answered("/elsewhere", "GET", 999, 0.002)
    assert dict(Totals(LAYOUT, board).samples(REQUESTS)) == {
        (OTHER, OTHER, "4xx"): 1000.0,
        (OTHER, "GET", "5xx"): 1.0,
    }
    assert len(requests._found) <= 1


def test_what_the_role_check_said_is_counted() -> None:
    board = Scoreboard(1, LAYOUT.size)
    requests = RequestCount(Tally(LAYOUT, board.slot(0).cells))
    for authorized in (("reader", "granted"), ("reader", "denied"), ("reader", "granted"), None):
        requests.answered("/a", "GET", 200, 0.002, authorized)
    counted = {labels: count for labels, count in Totals(LAYOUT, board).samples(DECISIONS) if count}
    assert counted == {("reader", "granted"): 2.0, ("reader", "denied"): 1.0}

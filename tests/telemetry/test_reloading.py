"""What became of a reload is counted once, and shown and told for as long as it lasts."""

import pytest

from rcmon.process.scoreboard import Scoreboard
from rcmon.process.trouble import TROUBLES
from rcmon.telemetry.layout import Layout
from rcmon.telemetry.own import FOLLOWED, RELOAD_SUCCEEDED, RELOAD_SUCCESS_TIME, RELOADS
from rcmon.telemetry.reloading import ReloadReport
from rcmon.telemetry.tally import Tally
from rcmon.web.telemetry.totals import Totals


class Process:
    """One of two processes of a service, with a clock that the test sets."""

    def __init__(self, board: Scoreboard, layout: Layout, index: int) -> None:
        slot = board.slot(index)
        slot.occupy(index + 1, 0.0)
        self.now, self.troubles = 100.0, {}
        self.report = ReloadReport(
            Tally(layout, slot.cells), lambda what, why: self.troubles.update({what: why}), lambda: self.now
        )


@pytest.fixture
def layout() -> Layout:
    return Layout({"route": ("/",)})


@pytest.fixture
def board(layout: Layout) -> Scoreboard:
    return Scoreboard(2, layout.size)


def test_what_is_refused_in_one_process_is_not_successful(board: Scoreboard, layout: Layout) -> None:
    one, other = (Process(board, layout, index) for index in range(2))
    totals = Totals(layout, board)

    def seen() -> list[float | None]:
        return [totals.value(RELOAD_SUCCEEDED, "roles"), totals.value(RELOAD_SUCCESS_TIME, "roles")]

    assert seen() == [None, None]
    for process in (one, other):
        process.report.tell([], {"roles": None, "tls": None})
    assert seen() == [1.0, 100.0]
    one.now = 200.0
    one.report.tell([("roles", False)], {"roles": "is not TOML", "tls": None})
    one.report.tell([], {"roles": "is not TOML", "tls": None})
    assert seen() == [0.0, 100.0]
    assert one.troubles == {"roles_file": "is not TOML", "tls": None}
    assert totals.value(RELOADS, "roles", "failure") == 1.0
    one.now = 300.0
    one.report.tell([("roles", True)], {"roles": None, "tls": None})
    assert seen() == [1.0, 300.0]
    assert one.troubles == {"roles_file": None, "tls": None}
    assert totals.value(RELOAD_SUCCESS_TIME, "tls") == 100.0


def test_what_was_refused_from_the_start_has_no_time_of_success(board: Scoreboard, layout: Layout) -> None:
    process = Process(board, layout, 0)
    process.report.tell([("crl", False)], {"crl": "is older"})
    assert Totals(layout, board).value(RELOAD_SUCCESS_TIME, "crl") is None
    assert Totals(layout, board).value(RELOAD_SUCCEEDED, "crl") == 0.0


def test_every_kind_of_files_can_be_in_trouble(board: Scoreboard, layout: Layout) -> None:
    process = Process(board, layout, 0)
    process.report.tell([], dict.fromkeys(FOLLOWED, "refused"))
    assert len(process.troubles) == len(FOLLOWED)
    assert process.troubles.keys() <= TROUBLES.keys()

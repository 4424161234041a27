"""A square tells the best that can be said of what it stands for, and never more than is known."""

import pytest

from rcmon.model import Cell
from rcmon.rules.reasons import REASONS
from rcmon.rules.shading import LETTERS, level, shade
from tests.rules.cells import agent, judged, site, task


def cell(reason: str | None, submits: bool | None, jobs: int = 0) -> Cell:
    return Cell("Processing", submits, None, reason, 50, 100, 0, jobs, 0, None)


OPEN, FULL = cell(None, True), cell("task_pending_full", False)
DOWN, UNSET = cell("site_down", False), cell("task_slots_zero", False)
DRAINED, DOUBTFUL = cell("agent_drain", True), cell("slots_unknown", None)
NOT_MEANT, STRANDED = cell("threshold_missing", False), cell("threshold_missing", False, jobs=3)


@pytest.mark.parametrize(
    ("cells", "expected", "reason"),
    [
        ([], "n", None),
        ([NOT_MEANT], "n", None),
        ([STRANDED], "c", "threshold_missing"),
        ([OPEN], "2", None),
        ([OPEN, NOT_MEANT, UNSET], "2", None),
        ([OPEN, FULL], "2", None),
        ([FULL], "f", "task_pending_full"),
        ([FULL, UNSET], "f", "task_pending_full"),
        ([DOWN], "b", "site_down"),
        ([DOWN, UNSET], "b", "site_down"),
        ([DOWN, OPEN], "p", "site_down"),
        ([DOWN, FULL], "p", "site_down"),
        ([DRAINED], "w", "agent_drain"),
        ([DRAINED, DOWN], "p", "site_down"),
        ([UNSET], "c", "task_slots_zero"),
        ([DOUBTFUL], "?", "slots_unknown"),
        ([DOUBTFUL, OPEN], "2", None),
        ([cell(None, None)], "?", None),
        ([cell("of a newer release", False)], "?", None),
        ([cell("site_aborted", False), DOWN], "b", "site_aborted"),
    ],
)
def test_a_square(cells: list[Cell], expected: str, reason: str | None) -> None:
    assert shade(cells, 30, 100) == (expected, LETTERS[reason] if reason else "-")
    assert shade(reversed(cells), 30, 100)[0] == expected


@pytest.mark.parametrize(
    ("running", "slots", "expected"),
    [
        (0, 100, "0"), (1, 100, "1"), (24, 100, "1"), (25, 100, "2"), (74, 100, "3"), (75, 100, "4"),
        (130, 100, "4"), (0, 0, "0"), (1, 0, "4"), (5, None, "?"), (0, None, "?"),
    ],
)  # fmt: skip
def test_how_full(running: int, slots: int | None, expected: str) -> None:
    assert level(running, slots) == expected


def test_every_reason_has_a_letter_of_its_own() -> None:
    assert (
        len(set(LETTERS.values())) == len(REASONS) == len([one for one in LETTERS.values() if one.islower()])
    )


def test_a_site_as_it_is_judged() -> None:
    place = judged(agent(site(tasks={"Processing": task(running=30)}, running_slots=100)))
    assert shade(place.cells, place.running, place.running_slots) == ("2", "-")

"""The scoreboard: what processes write there is seen by all, and outlives them."""

import os
import time
from collections.abc import Callable
from functools import partial

import pytest

from rcmon.process.figures import OwnFigures
from rcmon.process.scoreboard import Scoreboard
from tests.process.running import exit_code_of


def in_child(work: Callable[[], None]) -> None:
    assert exit_code_of(work) == 0


def test_a_fresh_board_knows_nobody_and_counts_nothing() -> None:
    before = time.time()
    board = Scoreboard(2, 3)
    slot = board.slot(1)
    assert board.totals() == [0, 0, 0]
    assert (slot.pid, slot.last_beat, slot.started) == (None, None, None)
    assert (slot.resident_memory_bytes, slot.open_fds) == (None, None)
    assert (board.resident_memory_bytes(), board.open_fds()) == (None, None)
    assert (slot.restarts, slot.cpu_seconds, board.restarts(), board.cpu_seconds()) == (0, 0, 0, 0)
    assert before <= board.started <= time.time()


def test_what_a_forked_process_writes_all_others_see() -> None:
    board = Scoreboard(2, 2)

    def work() -> None:
        slot = board.slot(1)
        slot.occupy(os.getpid(), 12.5)
        slot.cells[0] += 3
        slot.beat(13.5)

    in_child(work)
    slot = board.slot(1)
    assert slot.pid not in (None, os.getpid())
    assert slot.last_beat == 13.5
    assert list(slot.cells) == [3, 0]


def test_totals_stay_exact_over_dead_and_restarted_processes() -> None:
    """Five generations in each of three slots, each counting in its own cells what it does."""
    board = Scoreboard(3, 2)

    def count(index: int) -> None:
        slot = board.slot(index)
        for _ in range(1000):
            slot.cells[0] += 1
            slot.cells[1] += 0.5

    seen = 0.0
    for generation in range(1, 6):
        for index in range(3):
            in_child(partial(count, index))
            assert board.totals()[0] >= seen
            seen = board.totals()[0]
        assert board.totals() == [3000 * generation, 1500 * generation]


@pytest.mark.parametrize("cells", [0, 1, 7, 8, 9, 100])
def test_slots_do_not_touch_each_other(cells: int) -> None:
    board = Scoreboard(3, cells)
    for index, slot in enumerate(board.slots):
        assert len(slot.cells) == cells
        slot.occupy(index + 1, 1)
        for cell in range(cells):
            slot.cells[cell] = 10 * (index + 1)
    assert [slot.pid for slot in board.slots] == [1, 2, 3]
    assert board.totals() == [60.0] * cells
    assert [set(slot.cells) for slot in board.slots] == [{10.0}, {20.0}, {30.0}] or not cells


def test_a_dead_process_takes_no_memory_but_its_cpu_time_stays() -> None:
    board = Scoreboard(2, 0)
    living, dead = board.slots
    for slot in board.slots:
        slot.occupy(7, 1.0)
        slot.record(cpu_seconds=2.0, resident_memory_bytes=1000, open_fds=10)
    dead.vacate(2.25)
    assert (dead.pid, dead.last_beat, dead.started) == (None, None, None)
    assert (dead.resident_memory_bytes, dead.open_fds) == (None, None)
    assert (board.resident_memory_bytes(), board.open_fds()) == (1000, 10)
    assert board.cpu_seconds() == 4.25
    living.vacate(2.0)
    assert board.resident_memory_bytes() is None


def test_cpu_time_never_falls() -> None:
    """A successor begins at zero; the board goes on from its predecessors."""
    slot = Scoreboard(1, 0).slot(0)
    slot.occupy(1, 1.0)
    slot.record(cpu_seconds=5.01, resident_memory_bytes=1, open_fds=1)
    slot.vacate(5.009)
    assert slot.cpu_seconds == 5.01
    slot.count_restart()
    slot.occupy(2, 2.0)
    slot.record(cpu_seconds=0.0, resident_memory_bytes=1, open_fds=1)
    assert slot.cpu_seconds == 5.01
    slot.record(cpu_seconds=1.0, resident_memory_bytes=1, open_fds=1)
    assert slot.cpu_seconds == pytest.approx(6.01)
    assert slot.restarts == 1


def test_what_is_not_known_is_none_and_leaves_cpu_time_alone() -> None:
    slot = Scoreboard(1, 0).slot(0)
    slot.occupy(1, 1.0)
    slot.record(cpu_seconds=3.0, resident_memory_bytes=5, open_fds=6)
    slot.record(cpu_seconds=None, resident_memory_bytes=None, open_fds=None)
    assert (slot.cpu_seconds, slot.resident_memory_bytes, slot.open_fds) == (3.0, None, None)


def test_own_figures_are_those_of_proc() -> None:
    slot = Scoreboard(1, 0).slot(0)
    slot.occupy(os.getpid(), time.monotonic())
    used = sum(os.times()[:2])
    OwnFigures().record(slot)
    assert used - 0.1 <= slot.cpu_seconds <= sum(os.times()[:2]) + 0.1
    assert slot.resident_memory_bytes is not None
    assert slot.resident_memory_bytes > 5_000_000
    assert slot.open_fds is not None
    assert slot.open_fds >= 3


@pytest.mark.parametrize(("slots", "cells"), [(0, 1), (-1, 1), (1, -1)])
def test_a_board_without_room_is_refused(slots: int, cells: int) -> None:
    with pytest.raises(ValueError, match=f"{slots} slots with {cells} cells"):
        Scoreboard(slots, cells)


def test_uptime_knows_no_clock_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    board = Scoreboard(1, 0)
    wall = time.time
    for jump in (-86400.0, 86400.0):
        monkeypatch.setattr(time, "time", lambda jump=jump: wall() + jump)
        assert 0 <= board.uptime < 3600

"""What the parent does beside its children: about once a second, at HUP first, and never to their harm."""

import logging
import os
import signal

import pytest

from rcmon.process import Chore
from tests.process.running import StartService, eventually


def test_it_is_done_once_a_second_and_whenever_somebody_asks() -> None:
    done: list[bool] = []
    chore = Chore("note it", done.append)
    for now in (5.0, 5.5, 5.99, 6.0, 6.5):
        chore.do(now)
    assert done == [False, False]
    chore.do(6.6, asked=True)
    chore.do(7.5)
    assert done == [False, False, True]
    chore.do(7.6)
    assert done == [False, False, True, False]


def test_a_failure_is_told_once_while_it_is_the_same(caplog: pytest.LogCaptureFixture) -> None:
    reasons = ["one", "one", "another", "", "another"]

    def fail(_: bool) -> None:
        if reason := reasons.pop(0):
            raise ValueError(reason)

    chore = Chore("follow it", fail)
    told = []
    with caplog.at_level(logging.ERROR):
        for now in range(5):
            caplog.clear()
            chore.do(float(now))
            told.append("cannot follow it" in caplog.text)
    assert told == [True, False, True, False, True]


def test_children_are_forked_with_what_the_parent_made_meanwhile(start: StartService) -> None:
    """HUP: it is done before the children hear of it. It fails at first, and they live on."""
    service = start("--workers", "1", "--chore").wait_ready()
    first = service.get("/board")
    assert first["chores"] == []
    service.kill(signal.SIGHUP)
    eventually(lambda: service.get("/board")["totals"][1] == 2, "both to have heard")
    victim = service.slots()[1]["pid"]
    os.kill(victim, signal.SIGKILL)
    service.wait_successor(1, victim)
    assert True in service.get("/board")["chores"]
    assert "made to fail" in service.log()

"""The line that `systemctl status` shows."""

from rcmon.process.scoreboard import Scoreboard
from rcmon.process.summary import LONGEST, summary
from rcmon.process.trouble import Ending


def test_the_line_says_what_is_done_what_is_lacking_and_what_is_wrong() -> None:
    board = Scoreboard(4, 0)
    names = ("web-0", "web-1", "collector", "demo")
    processes = list(zip(names, board.slots, strict=True))
    web, starting, collector, dead = board.slots
    assert summary(processes).endswith("demo starts; 0 of 4 processes work")
    for number, slot in enumerate(board.slots, 1):
        slot.occupy(number, 1.0)
    for slot in (web, collector):
        slot.become_ready()
    collector.become_complete()
    collector.do("cycle 3,\n2 of 2 sources up")
    collector.say("collector", "store", "disk is full")
    dead.note_ending(Ending("exit", "exit code 1", 2.0, 1.0, "ValueError: x"), 1)
    dead.vacate(0.0)
    assert summary(processes) == (
        "collector: cycle 3, 2 of 2 sources up; web-0 waits for the first snapshot; web-1 starts; "
        "demo is down (exit code 1: ValueError: x); TROUBLE with store in collector: disk is full; "
        "1 of 4 processes work"
    )
    starting.say("web-1", "tls", "x" * 5000)
    web.say("web-0", "tls", "x" * 5000)
    web.do("x" * 50_000)
    assert len(summary(processes)) <= LONGEST


def test_a_successor_does_not_do_what_the_dead_one_did() -> None:
    slot = Scoreboard(1, 0).slot(0)
    slot.occupy(1, 1.0)
    slot.become_ready()
    slot.become_complete()
    slot.do("cycle 3")
    slot.vacate(0.0)
    assert (slot.ready, slot.complete, slot.doing) == (False, False, "")

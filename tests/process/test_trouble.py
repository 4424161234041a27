"""What is wrong with a process reaches all others, however it ends, and is never half a text."""

import os
import signal
from typing import Any

import pytest
from msgspec import msgpack

from rcmon.process.scoreboard import Scoreboard
from rcmon.process.text import SharedText
from rcmon.process.trouble import LONGEST_REASON, Ending, Trouble, Troubles, decode_troubles, last_line
from tests.process.running import Service, StartService, eventually, exit_code_of

EXTRA = 2
"""The slot of the process that fails, beside a collector and one web worker."""


def shared() -> SharedText:
    return SharedText(memoryview(bytearray(SharedText.SIZE)))


def last_ending(service: Service) -> tuple[dict[str, Any], str]:
    """Wait until the extra process has ended once, and give how, as figures and in words."""

    def ending() -> tuple[dict[str, Any], str] | None:
        board = service.get("/board")
        found = board["endings"][EXTRA]
        names = ("cause", "how", "at", "lived", "trouble")
        return (dict(zip(names, found, strict=True)), board["how"][EXTRA]) if found else None

    found = eventually(ending, "an ending")
    assert found is not None
    return found


def test_trouble_is_seen_by_other_processes_until_it_is_over(start: StartService) -> None:
    service = start("--workers", "1", "--extra", "complain").wait_ready()
    (process, what, reason, since) = eventually(lambda: service.get("/board")["troubles"])[0]
    assert (process, what, reason) == ("extra", "store", "disk is full")
    assert since >= service.get("/board")["started"]
    service.kill(signal.SIGHUP)
    eventually(lambda: not service.get("/board")["troubles"])


def test_of_a_killed_process_stays_only_how_it_ended(start: StartService) -> None:
    service = start("--workers", "1", "--extra", "complain").wait_ready()
    victim = service.slots()[EXTRA]["pid"]
    os.kill(victim, signal.SIGSTOP)
    os.kill(victim, signal.SIGKILL)
    found, words = last_ending(service)
    assert words == "killed by SIGKILL: disk is full"
    assert (found["cause"], found["how"]) == ("signal", "killed by SIGKILL")
    assert found["lived"] > 0
    assert found["at"] > service.get("/board")["started"]
    service.wait_successor(EXTRA, victim)
    assert last_ending(service)[1] == words, "its successor does not forget it"


def test_an_exit_code_is_told_with_the_last_trouble(start: StartService) -> None:
    service = start("--workers", "1", "--extra", "complain_and_exit")
    service.wait_log("exit code 7")
    found, words = last_ending(service)
    assert words == "exit code 7: made to exit"
    assert found["cause"] == "exit"


def test_an_exception_is_the_last_trouble_and_a_loop_of_them_is_counted(start: StartService) -> None:
    """A collector that dies again and again: how often, and of what, without its log."""
    service = start("--workers", "1", "--extra", "complain_and_fail")
    eventually(lambda: service.slots()[EXTRA]["failures"] >= 3)
    _, words = last_ending(service)
    assert words == "exit code 1: ValueError: made to fail"
    slot = service.slots()[EXTRA]
    assert slot["restarts"] >= 2
    assert not slot["ready"]
    assert service.slots()[1]["ready"]


def test_a_hanging_process_is_told_as_hanging(start: StartService) -> None:
    service = start("--workers", "1", "--silence", "10", "--extra", "complain_and_hang")
    found, words = last_ending(service)
    assert found["cause"] == "hang"
    assert words.startswith("no sign of life for ")
    assert words.endswith(" s, killed: one that takes for ever")


def test_only_declared_things_are_in_trouble() -> None:
    with pytest.raises(ValueError, match=r"trouble with 'colector': must be one of store, .*sources_file"):
        Scoreboard(1, 0).slot(0).say("web-0", "colector", "misspelt")


def test_a_reason_that_changes_keeps_its_beginning_and_one_that_stays_is_no_news() -> None:
    troubles = Troubles()
    assert troubles.say("collector", "store", "disk is full", 1.0)
    assert not troubles.say("collector", "store", "disk is full", 2.0)
    assert troubles.say("collector", "store", "disk is\nfull\x00 still", 3.0)
    assert troubles.say("web-0", "store", "disk is full", 4.0)
    assert not troubles.say("web-0", "crl", None, 5.0)
    said = decode_troubles(troubles.encode(SharedText.LONGEST))
    assert said == (
        Trouble("collector", "store", r"disk is full\x00 still", 1.0),
        Trouble("web-0", "store", "disk is full", 4.0),
    )
    assert troubles.say("collector", "store", None, 6.0)
    assert [trouble.process for trouble in decode_troubles(troubles.encode(SharedText.LONGEST))] == ["web-0"]


def test_reasons_that_need_too_much_room_are_cut_and_none_is_lost() -> None:
    slot = Scoreboard(1, 0).slot(0)
    for number in range(100):
        slot.say(f"process-{number}", "store", "\N{SNOWMAN}" * 2 * LONGEST_REASON)
    assert len(slot.troubles) == 100
    assert {len(trouble.reason) for trouble in slot.troubles} < set(range(1, LONGEST_REASON))


def test_an_error_in_a_line() -> None:
    inner = ExceptionGroup("inner", [KeyError("a"), ValueError("b")])
    assert last_line(ExceptionGroup("outer", [inner])) == "KeyError: 'a'"
    assert last_line(ValueError("two\nlines")) == "ValueError: two lines"
    assert last_line(ValueError()) == "ValueError"


def test_an_ending_is_kept_whole() -> None:
    ending = Ending("hang", "no sign of life for 30 s, killed", 5.0, 2.5, "x" * LONGEST_REASON)
    assert len(msgpack.encode(ending)) < SharedText.LONGEST
    slot = Scoreboard(1, 0).slot(0)
    slot.note_ending(ending, 3)
    assert (slot.last_ending, slot.failures) == (ending, 3)


def test_a_text_too_long_is_refused_and_the_one_before_stays() -> None:
    text = shared()
    assert text.read() == b""
    text.write(b"x" * SharedText.LONGEST)
    with pytest.raises(ValueError, match="at most"):
        text.write(b"y" * (SharedText.LONGEST + 1))
    assert text.read() == b"x" * SharedText.LONGEST


def test_a_torn_text_is_read_again_and_never_given() -> None:
    """The octet that names the whole copy is turned last: until then the text before is read."""
    memory = bytearray(SharedText.SIZE)
    text = SharedText(memoryview(memory))
    text.write(b"the first")
    text.write(b"the second")
    other = 1 if memory[0] else SharedText.SIZE // 2
    memory[other + 8] ^= 0xFF
    assert text.read() == b"the second"
    memory[0] = 1 - memory[0]
    assert text.read() == b"", "torn for good, which no writer leaves behind"


def test_a_text_that_is_read_while_it_is_written_is_one_of_those_written() -> None:
    """One process writes without a pause until it is killed; what is read is always of one piece."""
    slot = Scoreboard(1, 0).slot(0)

    def write() -> None:
        while True:
            for letter in "abc":
                slot.say("web-0", "store", letter * (100 + ord(letter)))

    pid = os.fork()
    if not pid:
        try:
            write()
        finally:
            os._exit(1)
    try:
        seen = set()
        eventually(lambda: slot.troubles)
        for _ in range(3000):
            (trouble,) = slot.troubles
            seen.add(trouble.reason)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    assert seen <= {letter * (100 + ord(letter)) for letter in "abc"}
    assert slot.troubles[0].reason in seen | {letter * (100 + ord(letter)) for letter in "abc"}


def test_troubles_end_with_their_process() -> None:
    board = Scoreboard(2, 0)

    def work() -> None:
        board.slot(1).occupy(os.getpid(), 1.0)
        board.slot(1).say("collector", "store", "disk is full")

    assert exit_code_of(work) == 0
    assert [(trouble.process, trouble.reason) for trouble in board.troubles()] == [
        ("collector", "disk is full")
    ]
    board.slot(1).note_ending(Ending("exit", "exit code 0", 5.0, 2.5), 0)
    board.slot(1).vacate(0.0)
    assert board.troubles() == []
    assert str(board.slot(1).last_ending) == "exit code 0: disk is full"


def test_a_reason_may_name_a_file_whose_name_is_no_utf_8() -> None:
    slot = Scoreboard(1, 0).slot(0)
    slot.say("web-0", "voms", "/vomsdir/cms/\udcff.lsc: is no \0 name")
    slot.do("reading \udcff")
    assert [trouble.reason for trouble in slot.troubles] == [r"/vomsdir/cms/\udcff.lsc: is no \x00 name"]
    assert slot.doing == r"reading \udcff"

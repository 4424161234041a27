"""The step before the start, what holds at a fork, and what a child holds of its parent."""

import asyncio
import signal
import threading

import pytest

from rcmon.process import ChildSpec, Supervisor
from rcmon.process.fork import require_forkable
from rcmon.process.scoreboard import Scoreboard
from rcmon.process.signals import ending
from tests.process.running import StartService, children_of, descriptors_of, eventually, is_gone, threads_of


def test_the_parent_has_one_thread_and_no_loop(start: StartService) -> None:
    """Its memory is copied at any later fork, so this must hold as long as it lives."""
    service = start("--workers", "2", "--step", "ok").wait_ready()
    assert threads_of(service.pid) == 1
    assert not [link for link in service.descriptors() if "eventpoll" in link or "eventfd" in link]


def test_a_child_holds_only_what_it_needs(start: StartService) -> None:
    """The collector does not listen; nobody but the parent holds the lifeline's write end."""
    service = start("--workers", "1").wait_ready()
    collector, worker = (slot["pid"] for slot in service.slots()[:2])
    listening = [link for link in service.descriptors() if link.startswith("socket:")]
    assert len(listening) == 1
    assert listening[0] in descriptors_of(worker)
    assert listening[0] not in descriptors_of(collector)
    parents = {link for link in service.descriptors() if link.startswith("pipe:")}
    for child in (collector, worker):
        ends = [link for link in descriptors_of(child) if link in parents]
        assert len(ends) == len(set(ends)) == 2, "one end of each of the two pipes"


def test_the_step_is_done_before_any_child_starts(start: StartService) -> None:
    service = start("--workers", "1", "--step", "ok").wait_ready()
    service.kill()
    assert service.wait_exit() == 0


@pytest.mark.parametrize("kind", ["ConfigError", "StoreBusyError", "StoreCorruptError", "RcmonError"])
def test_the_error_of_the_step_is_the_error_of_the_start(start: StartService, kind: str) -> None:
    service = start("--step", kind)
    assert service.wait_exit() == 78
    assert service.log().splitlines()[-1] == f"{kind}: {kind}: made to fail"
    assert "Traceback" not in service.log()


@pytest.mark.parametrize(("kind", "how"), [("crash", "exit code 1"), ("exit", "exit code 7")])
def test_a_step_that_crashes_fails_the_start(start: StartService, kind: str, how: str) -> None:
    service = start("--step", kind)
    assert service.wait_exit() == 78
    assert f"RcmonError: migration failed ({how}); the log says why" in service.log()
    assert ("ValueError: made to crash" in service.log()) == (kind == "crash")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_during_the_step_ends_it(start: StartService, number: int) -> None:
    service = start("--step", "hang")
    eventually(service.note_children)
    service.kill(number)
    assert service.wait_exit() == 0
    service.wait_all_gone()
    assert "READY" not in service.said()


def test_the_step_does_not_outlive_the_parent(start: StartService) -> None:
    service = start("--step", "hang")
    eventually(service.note_children)
    service.kill(signal.SIGKILL)
    service.wait_all_gone()


def test_a_main_that_fails_ends_a_single_process(start: StartService) -> None:
    service = start("--single", "--extra", "fail")
    assert service.wait_exit() == 1
    assert "extra ended though nobody asked it to" in service.log()
    assert "ValueError: made to fail" in service.log()


def test_a_single_process_is_one_process(start: StartService) -> None:
    service = start("--single").wait_ready()
    assert children_of(service.pid) == set()
    assert service.get()["pid"] == service.slots()[0]["pid"] == service.pid


def test_every_process_beats_and_tells_what_it_takes(start: StartService) -> None:
    service = start("--workers", "1").wait_ready()
    first = service.slots()[:2]
    eventually(
        lambda: all(
            new["last_beat"] > old["last_beat"] for old, new in zip(first, service.slots(), strict=False)
        )
    )
    for slot in service.slots()[:2]:
        assert not is_gone(slot["pid"])
        assert slot["resident_memory_bytes"] > 5_000_000
        assert slot["open_fds"] > 3
        assert slot["cpu_seconds"] >= 0
        assert slot["started"] >= service.get("/board")["started"]
    assert service.slots()[2]["pid"] is None


@pytest.mark.alone
def test_no_fork_beside_a_thread() -> None:
    over = threading.Event()
    thread = threading.Thread(target=over.wait, name="somebody")
    thread.start()
    try:
        with pytest.raises(RuntimeError, match="threads run at the fork: somebody"):
            require_forkable()
    finally:
        over.set()
        thread.join()
    require_forkable()


@pytest.mark.alone
def test_no_fork_out_of_a_loop() -> None:
    async def fork() -> None:
        require_forkable()

    with pytest.raises(RuntimeError, match="an event loop runs at the fork"):
        asyncio.run(fork())


@pytest.mark.parametrize(("names", "slots"), [(["a", "a"], [0, 1]), (["a", "b"], [1, 1])])
def test_two_children_never_share_a_name_or_a_slot(names: list[str], slots: list[int]) -> None:
    specs = [ChildSpec(name, lambda context: 0, slot) for name, slot in zip(names, slots, strict=True)]
    with pytest.raises(ValueError, match="two children share a"):
        Supervisor(Scoreboard(2, 0), specs)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exit code 0"),
        (-9, "killed by SIGKILL"),
        (-64, "killed by SIGRTMAX"),
        (-99, "signal 99"),
    ],
)
def test_an_end_is_named(code: int, words: str) -> None:
    assert words in ending(code)

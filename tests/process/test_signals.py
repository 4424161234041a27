"""HUP reaches every child, and the service manager hears how the service does."""

import os
import signal
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from rcmon.process import Notifier
from tests.process.running import Service, StartService, eventually

MODES = pytest.mark.parametrize("mode", [["--workers", "2"], ["--single"]], ids=["forked", "single"])


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """A service manager's notification socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(tmp_path / "notify"))
        server.settimeout(300)
        yield server


def all_reloaded(service: Service, times: int) -> bool:
    return [slot["cells"][1] for slot in service.slots()[:3]] == [times] * 3


def test_hup_reaches_every_child_and_ends_none(start: StartService) -> None:
    service = start("--workers", "2").wait_ready()
    pids = [slot["pid"] for slot in service.slots()]
    for number in (1, 2, 3):
        service.kill(signal.SIGHUP)
        eventually(partial(all_reloaded, service, number))
    assert [slot["pid"] for slot in service.slots()] == pids
    assert "SIGHUP" in service.log()


def test_hup_reaches_every_main_of_a_single_process(start: StartService) -> None:
    service = start("--single").wait_ready()
    service.kill(signal.SIGHUP)
    eventually(lambda: service.slots()[0]["cells"][1] == 2)


def test_hup_while_a_child_starts_does_not_end_it(start: StartService) -> None:
    """Its signals are blocked from the fork until its loop takes them."""
    service = start("--workers", "2")
    eventually(service.note_children)

    def ready_after_one_more() -> bool:
        service.kill(signal.SIGHUP)
        return "READY" in service.said()

    eventually(ready_after_one_more)
    service.get()
    assert "killed by" not in service.log()


@MODES
def test_the_service_manager_hears_every_turn(
    start: StartService, manager: socket.socket, mode: list[str]
) -> None:
    environ = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "200000"}
    service = start(*mode, environ=environ).wait_ready()

    def next_but_watchdog() -> str:
        while (message := manager.recv(2000).decode()).startswith(("WATCHDOG=1", "STATUS=", "EXTEND_")):
            pass
        return message

    assert next_but_watchdog() == "READY=1"
    eventually(lambda: manager.recv(2000) == b"WATCHDOG=1")
    service.kill(signal.SIGHUP)
    assert next_but_watchdog().startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert next_but_watchdog() == "READY=1"
    service.kill()
    assert next_but_watchdog() == "STOPPING=1"
    assert service.wait_exit() == 0


def test_the_service_manager_hears_of_a_name_that_is_no_utf_8(manager: socket.socket) -> None:
    Notifier({"NOTIFY_SOCKET": manager.getsockname()}).status("TROUBLE with voms: h\udcff.lsc")
    assert manager.recv(2000).decode() == r"STATUS=TROUBLE with voms: h\udcff.lsc"


@MODES
def test_ready_comes_when_nothing_is_lacking_and_status_says_what_is(
    start: StartService, manager: socket.socket, mode: list[str]
) -> None:
    """A HUP before that is passed on, and no word of it: the service is still starting."""
    service = start(*mode, "--extra", "wait_for_data", environ={"NOTIFY_SOCKET": manager.getsockname()})
    heard: list[str] = []

    def hear(text: str) -> bool:
        heard.append(manager.recv(2000).decode())
        return text in heard[-1]

    eventually(partial(hear, "waits for the first snapshot"))
    service.kill(signal.SIGHUP)
    service.wait_log("first reload")
    eventually(partial(hear, "EXTEND_TIMEOUT_USEC=60000000"))
    service.kill(signal.SIGHUP)
    eventually(partial(hear, "READY=1"))
    assert not [message for message in heard[:-1] if not message.startswith(("STATUS=", "EXTEND_"))]
    eventually(partial(hear, "served 7 of 7; TROUBLE with crl in extra: one is old; "))
    assert heard[-1].endswith(" processes work")


def test_an_abstract_address_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind("\0rcmon-test-" + str(os.getpid()))
        Notifier({"NOTIFY_SOCKET": "@rcmon-test-" + str(os.getpid())}).ready()
        assert server.recv(100) == b"READY=1"


@pytest.mark.parametrize(
    "environ",
    [{}, {"NOTIFY_SOCKET": "/nonexistent/notify"}, {"NOTIFY_SOCKET": ""}, {"WATCHDOG_USEC": "soon"}],
    ids=str,
)
def test_without_a_service_manager_nothing_happens(environ: dict[str, str]) -> None:
    notifier = Notifier(environ)
    notifier.ready()
    notifier.alive(1e9)


def test_more_time_to_start_is_asked_for_again_before_it_is_over(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()})
    for now in (100.0, 109.9, 110.0, 119.9, 120.0):
        notifier.starting(now)
    manager.setblocking(False)
    assert [manager.recv(100) for _ in range(3)] == [b"EXTEND_TIMEOUT_USEC=60000000"] * 3
    with pytest.raises(BlockingIOError):
        manager.recv(100)


def test_the_watchdog_is_fed_twice_per_interval_and_only_if_it_is_ours(manager: socket.socket) -> None:
    address = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "10000000"}
    ours, others = (
        Notifier(address | {"WATCHDOG_PID": str(os.getpid())}),
        Notifier(address | {"WATCHDOG_PID": "1"}),
    )
    for now in (100.0, 104.9, 105.0, 109.9, 110.0):
        ours.alive(now)
        others.alive(now)
    manager.setblocking(False)
    assert [manager.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
    with pytest.raises(BlockingIOError):
        manager.recv(100)

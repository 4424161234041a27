"""TERM and INT drain; the parent's death, however it dies, leaves nobody behind."""

import os
import signal

import pytest

from tests.process.running import StartService, children_of, eventually, is_gone


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("mode", [["--workers", "2"], ["--single"]], ids=["forked", "single"])
def test_a_request_in_flight_is_answered_and_the_exit_code_is_0(
    start: StartService, mode: list[str], number: int
) -> None:
    service = start(*mode).wait_ready()
    response = service.begin_hold()
    service.kill(number)
    eventually(lambda: not service.is_listening(), "the port is closed to newcomers")
    service.release.touch()
    assert response.read() == b"ended"
    assert service.wait_exit() == 0
    service.wait_all_gone()
    assert "Traceback" not in service.log()
    assert "killing" not in service.log()


@pytest.mark.parametrize("mode", [["--workers", "2"], ["--single"]], ids=["forked", "single"])
def test_a_second_signal_ends_it_at_once(start: StartService, mode: list[str]) -> None:
    """The grace time is a minute and the request never ends: only the second signal can end it in time."""
    service = start(*mode, "--grace", "600").wait_ready()
    service.begin_hold()
    service.kill(signal.SIGTERM)
    eventually(lambda: not service.is_listening())
    service.kill(signal.SIGINT)
    assert service.wait_exit() == 0
    service.wait_all_gone()
    assert "asked to stop again" in service.log()


def test_ctrl_c_reaches_all_at_once_and_still_drains(start: StartService) -> None:
    """A terminal sends INT to the whole group: the children get it beside the parent's TERM."""
    service = start("--workers", "2").wait_ready()
    response = service.begin_hold()
    os.killpg(service.pid, signal.SIGINT)
    eventually(lambda: not service.is_listening())
    service.release.touch()
    assert response.read() == b"ended"
    assert service.wait_exit() == 0
    assert "Traceback" not in service.log()


@pytest.mark.parametrize("mode", [["--workers", "2"], ["--single"]], ids=["forked", "single"])
def test_the_grace_time_bounds_a_drain(start: StartService, mode: list[str]) -> None:
    service = start(*mode, "--grace", "2").wait_ready()
    service.begin_hold()
    service.kill()
    assert service.wait_exit() == 0
    service.wait_all_gone()


@pytest.mark.parametrize(
    ("mode", "code"), [(["--workers", "1"], 0), (["--single"], 1)], ids=["forked", "single"]
)
def test_the_grace_time_bounds_a_loop_that_hangs(start: StartService, mode: list[str], code: int) -> None:
    """Alone, nobody kills it but itself, and it says where it hung."""
    service = start(*mode, "--grace", "1").wait_ready()
    service.begin_hang()
    service.kill()
    assert service.wait_exit() == code
    service.wait_all_gone()


def test_the_death_of_the_parent_ends_all_and_frees_the_port(start: StartService) -> None:
    service = start("--workers", "2").wait_ready()
    assert len(service.seen) == 3
    service.kill(signal.SIGKILL)
    service.wait_all_gone()
    # one shows as ended before the last of its threads lets go of the port
    eventually(lambda: not service.is_listening(), "the port is free")
    again = start("--workers", "1", "--port", str(service.port)).wait_ready()
    again.get()


def test_no_sibling_hides_the_death_of_the_parent(start: StartService) -> None:
    """A child forked later inherits what the parent held by then: it may keep none of it open."""
    service = start("--workers", "2").wait_ready()
    for number in range(1, 4):
        for slot in range(3):
            victim = service.slots()[slot]["pid"]
            os.kill(victim, signal.SIGKILL)
            service.wait_successor(slot, victim, restarts=number)
    service.note_children()
    service.kill(signal.SIGKILL)
    service.wait_all_gone()
    # one shows as ended before the last of its threads lets go of the port
    eventually(lambda: not service.is_listening(), "the port is free")


def test_a_request_in_flight_outlives_the_parent(start: StartService) -> None:
    service = start("--workers", "1").wait_ready()
    response = service.begin_hold()
    service.kill(signal.SIGKILL)
    eventually(lambda: not service.is_listening())
    service.release.touch()
    assert response.read() == b"ended"
    service.wait_all_gone()


def test_not_even_a_hanging_worker_outlives_the_parent(start: StartService) -> None:
    service = start("--workers", "1", "--grace", "1").wait_ready()
    worker = service.slots()[1]["pid"]
    service.begin_hang()
    service.kill(signal.SIGKILL)
    service.wait_all_gone()
    assert is_gone(worker)


def test_a_stop_while_children_start_and_fail_ends_well(start: StartService) -> None:
    service = start("--workers", "1", "--extra", "fail")
    service.wait_log("extra (pid")
    service.kill()
    assert service.wait_exit() == 0
    assert children_of(service.pid) == set()

"""What dies comes back, what hangs is replaced, and the others serve meanwhile."""

import os
import re
import signal

from tests.process.running import StartService, eventually, is_gone


def test_a_killed_worker_costs_no_request_and_comes_back(start: StartService) -> None:
    service = start("--workers", "2").wait_ready()
    victim = service.slots()[1]["pid"]
    service.get()
    os.kill(victim, signal.SIGKILL)

    def successor_serves() -> bool:
        # A request that fails raises here and fails the test.
        service.get()
        slot = service.slots()[1]
        return (
            slot["restarts"] == 1
            and slot["pid"] not in (None, victim)
            and service.get()["pid"] == slot["pid"]
        )

    eventually(successor_serves)
    assert re.search(
        rf"web-0 \(pid {victim}\) ended after .*: killed by SIGKILL; starts again (in 0\.1 s|at once)",
        service.log(),
    )
    service.wait_log("web-0 (pid ")
    assert [slot["restarts"] for slot in service.slots()] == [0, 1, 0, 0]


def test_counters_and_cpu_time_survive_a_worker(start: StartService) -> None:
    """Ten requests before, ten after; the dead worker's time stays in the sum."""
    service = start("--workers", "1").wait_ready()
    for _ in range(10):
        service.get()
    before = service.get("/board")
    assert before["totals"][0] == 10
    victim = before["slots"][1]["pid"]
    os.kill(victim, signal.SIGKILL)
    service.wait_successor(1, victim)
    for _ in range(10):
        service.get()
    after = service.get("/board")
    assert after["totals"][0] == 20
    assert after["started"] == before["started"]
    assert after["slots"][1]["started"] > before["slots"][1]["started"]
    assert after["slots"][1]["cpu_seconds"] > before["slots"][1]["cpu_seconds"]
    assert after["slots"][1]["cells"] == [20, 0]


def test_a_killed_collector_comes_back_and_the_workers_stay(start: StartService) -> None:
    service = start("--workers", "2").wait_ready()
    collector, *workers = [slot["pid"] for slot in service.slots()[:3]]
    os.kill(collector, signal.SIGKILL)
    service.wait_successor(0, collector)
    assert [slot["pid"] for slot in service.slots()[1:3]] == workers


def test_a_child_that_leaves_well_is_started_again_ever_more_slowly(start: StartService) -> None:
    service = start("--workers", "1", "--extra", "quit_at_once")
    service.wait_log(": exit code 0; starts again")
    eventually(lambda: service.slots()[2]["restarts"] >= 3)
    pauses = re.findall(r"extra \(pid \d+\) ended .*: exit code 0; starts again in (\S+) s", service.log())
    assert pauses[:3] == ["0.1", "0.2", "0.4"]
    assert service.slots()[1]["restarts"] == 0


def test_a_child_that_always_fails_is_tried_on_while_the_others_serve(start: StartService) -> None:
    """The service is then never announced as ready, but it serves what it can."""
    service = start("--workers", "1", "--extra", "fail")
    eventually(lambda: service.log().count(": exit code 1: ValueError: made to fail;") >= 3)
    assert "ValueError: made to fail" in service.log()
    service.get()
    service.kill()
    assert service.wait_exit() == 0
    assert "READY" not in service.said()


def test_a_child_that_does_not_become_ready_is_replaced(start: StartService) -> None:
    service = start("--workers", "1", "--start", "10", "--extra", "never_ready")
    service.wait_log("not ready 10 s after its start, killing it")
    service.wait_log(": not ready 10 s after its start, killed; starts again")
    eventually(lambda: service.slots()[2]["restarts"] == 1)
    assert service.slots()[1]["restarts"] == 0
    assert "READY" not in service.said()


def test_a_stopped_worker_is_killed_and_replaced(start: StartService) -> None:
    """SIGSTOP: neither TERM nor a handler of its own could end it."""
    service = start("--workers", "2", "--silence", "10").wait_ready()
    victim = service.slots()[1]["pid"]
    os.kill(victim, signal.SIGSTOP)
    service.wait_log(f"web-0 (pid {victim}): no sign of life for")
    service.wait_log("killed; starts again")
    service.wait_successor(1, victim)
    assert is_gone(victim)


def test_a_hanging_loop_says_where_it_hangs_and_is_replaced(start: StartService) -> None:
    service = start("--workers", "1", "--silence", "10").wait_ready()
    victim = service.slots()[1]["pid"]
    service.begin_hang()
    service.wait_log(f"web-0 (pid {victim}): no sign of life for")
    service.wait_successor(1, victim)
    assert re.search(r'service\.py", line \d+ in get', service.log()), "the stack of the hanging handler"
    assert [slot["restarts"] for slot in service.slots()[:2]] == [0, 1]


def test_nothing_piles_up_in_the_parent_over_restarts(start: StartService) -> None:
    service = start("--workers", "1").wait_ready()
    before = service.descriptors()
    victim = 0
    for number in range(1, 5):
        victim = service.wait_successor(0, victim, restarts=number - 1)
        os.kill(victim, signal.SIGKILL)
    service.wait_successor(0, victim, restarts=4)
    assert service.descriptors() == before
    assert len(service.note_children()) == 2

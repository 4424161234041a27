"""When a child starts again and when it is given up, by a clock that the test turns."""

import contextlib
import errno
import functools
import os
import re
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from rcmon.process import Ceilings, ChildContext, ChildSpec, Limits, run_async
from rcmon.process.children import Children
from rcmon.process.fork import Pipes
from rcmon.process.scoreboard import Scoreboard
from rcmon.process.watched import Watched, pause
from tests.process.running import eventually

LIMITS = Limits(grace=30, silence=30, start=20)


@pytest.fixture
def watched() -> Watched:
    """A child just forked at 100."""
    child = Watched(ChildSpec("web-0", lambda context: 0, 0), Scoreboard(1, 0).slot(0))
    child.begin(4711, 100.0)
    return child


def test_pauses_double_up_to_ten_seconds_for_ever() -> None:
    assert [pause(number) for number in range(9)] == [0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10]
    assert pause(10_000) == 10


def test_starts_that_fail_slow_the_next_and_two_seconds_of_work_forgive(watched: Watched) -> None:
    """Failed: it ended before it was ready, however late, or less than 2 s after."""
    now = 100.0
    for ready_after, ends_after, expected in (
        (None, 59, 0.1),
        (None, 1, 0.2),
        (1, 2.9, 0.4),
        (30, 31.9, 0.8),
    ):
        if ready_after is not None:
            watched.become_ready(now + ready_after)
        watched.end(-9, now + ends_after, 0.0)
        assert watched.due == pytest.approx(now + ends_after + expected)
        now += 100
        watched.begin(4711, now)
    assert watched.slot.failures == watched.failures == 4
    watched.become_ready(now)
    watched.end(-9, now + 2, 0.0)
    assert (watched.due, watched.failures, watched.slot.failures) == (now + 2, 0, 0)


def test_a_child_has_its_time_to_become_ready(watched: Watched) -> None:
    """Its heart may beat meanwhile: that is not enough."""
    watched.slot.occupy(4711, 100.5)
    watched.slot.beat(119.0)
    assert watched.overdue(120.0, LIMITS) is None
    assert watched.overdue(120.1, LIMITS) == "not ready 20 s after its start"


def test_a_ready_child_must_not_be_silent(watched: Watched) -> None:
    watched.become_ready(101.0)
    watched.slot.occupy(4711, 100.5)
    assert watched.overdue(131.0, LIMITS) is None
    assert watched.overdue(131.1, LIMITS) == "no sign of life for 30 s"
    watched.slot.beat(131.0)
    assert watched.overdue(161.0, LIMITS) is None
    assert watched.overdue(170.0, LIMITS) == "no sign of life for 39 s"


def test_a_predecessors_heartbeat_does_not_count_for_its_successor(watched: Watched) -> None:
    watched.slot.occupy(4711, 100.0)
    watched.slot.beat(500.0)
    watched.end(-9, 501.0, 0.0)
    watched.begin(4712, 502.0)
    assert watched.slot.last_beat is None
    watched.become_ready(503.0)
    assert watched.overdue(534.0, LIMITS) is not None


def test_cpu_time_of_all_generations_adds_up(watched: Watched) -> None:
    watched.end(0, 101.0, 1.5)
    watched.begin(4712, 102.0)
    watched.end(0, 103.0, 2.25)
    assert watched.slot.cpu_seconds == 3.75


def sleep(context: ChildContext) -> int:
    """Become ready, and never beat again."""
    context.ready()
    while True:  # the signal to say where it stands ends a pause
        signal.pause()


def look_until(children: Children, now: float, condition: Callable[[], bool]) -> None:
    """Have them looked at, always at the same time of the clock, until something came true."""

    def look() -> bool:
        children.look(now)
        return condition()

    eventually(look)


@contextlib.contextmanager
def family(*specs: ChildSpec, limits: Limits | None = None) -> Iterator[Children]:
    """Children of this test's own process, not started yet; one silent for 30 s is killed."""
    pipes = Pipes.open()
    made = Children(Scoreboard(len(specs), 0), specs, pipes=pipes, sockets=(), limits=limits or Limits())
    try:
        yield made
    finally:
        made.stop(signal.SIGKILL)
        look_until(made, 0.0, lambda: not made.alive)
        pipes.close()


@pytest.fixture
def children() -> Iterator[Children]:
    """One sleeper."""
    with family(ChildSpec("sleeper", sleep, 0)) as made:
        yield made


def test_workers_killed_after_good_service_are_back_at_once_every_time() -> None:
    """Both at once, 3 s after they were ready, ten times: no pause grows, no start waits."""
    with family(*(ChildSpec(f"web-{number}", sleep, number, listens=True) for number in (0, 1))) as workers:
        now = 1000.0
        for _ in range(10):
            workers.start_due(now)
            assert len(workers.alive) == 2
            look_until(workers, now, lambda: workers.all_ready)
            now += 3
            workers.send(signal.SIGKILL)
            look_until(workers, now, lambda: not workers.alive)
            assert workers.time_to_wait(now) == 0


def give_up(context: ChildContext) -> int:
    """End before it was ready."""
    return 3


def serve_and_give_up(context: ChildContext) -> int:
    """End just after it was ready."""
    context.ready()
    return 3


@pytest.mark.parametrize(("run", "longest"), [(give_up, 1.0), (serve_and_give_up, 0.2)])
def test_workers_that_all_fail_never_all_pause(run: Callable[[ChildContext], int], longest: float) -> None:
    """Their own pauses grow to ten seconds, but the next one comes soon."""
    with family(*(ChildSpec(f"web-{number}", run, number, listens=True) for number in (0, 1))) as workers:
        now = 1000.0
        for _ in range(30):
            workers.start_due(now)
            look_until(workers, now, lambda: not workers.alive)
            wait = workers.time_to_wait(now)
            assert 0 < wait <= longest + 1e-9
            now += wait


def test_who_does_not_listen_pauses_alone(caplog: pytest.LogCaptureFixture) -> None:
    with family(ChildSpec("collector", give_up, 0)) as collector:
        now = 1000.0
        for _ in range(8):
            collector.start_due(now)
            look_until(collector, now, lambda: not collector.alive)
            now += 20
    assert re.findall(r"again in (\S+) s", caplog.text) == [
        "0.1",
        "0.2",
        "0.4",
        "0.8",
        "1.6",
        "3.2",
        "6.4",
        "10",
    ]


def test_after_a_standstill_of_the_parent_nobody_is_killed_for_it(
    children: Children, caplog: pytest.LogCaptureFixture
) -> None:
    """A service that was frozen as a whole (Ctrl-Z, a paused container) wakes up with old heartbeats."""
    now = time.monotonic()
    children.start_due(now)
    assert children.time_to_wait(now) <= 0.05, "who starts is soon to be heard"
    look_until(children, now, lambda: children.all_ready)
    assert children.time_to_wait(now) == 1
    children.look(now + 1000)
    assert "no sign of life" not in caplog.text
    for second in range(2, 32, 2):
        children.look(now + 1000 + second)
    assert "no sign of life" not in caplog.text
    children.look(now + 1032)
    assert "no sign of life for 32 s, killing it" in caplog.text
    look_until(children, now + 1032, lambda: not children.alive)
    assert "32 s, killed; starts again at once" in caplog.text


def test_a_kernel_without_room_is_asked_again(
    children: Children, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> int:
        raise BlockingIOError(errno.EAGAIN, "no room for another process")

    monkeypatch.setattr(os, "fork", refuse)
    now = time.monotonic()
    children.start_due(now)
    assert "sleeper: cannot fork (no room for another process); starts again in 0.1 s" in caplog.text
    assert children.time_to_wait(now) == pytest.approx(0.1)
    assert children.alive == []
    monkeypatch.undo()
    children.start_due(now + 0.05)
    assert not children.alive
    children.start_due(now + 0.2)
    assert children.alive


async def draining(context: ChildContext) -> None:
    """Work until asked to end."""
    context.beat()
    context.ready()
    await context.stop.wait()


def three(run: Callable[[ChildContext], int]) -> list[ChildSpec]:
    web = [ChildSpec(f"web-{number}", run, number, listens=True) for number in (0, 1)]
    return [*web, ChildSpec("collector", run, 2)]


def test_who_takes_too_much_is_replaced_one_after_the_other(caplog: pytest.LogCaptureFixture) -> None:
    """Each is over both ceilings: one drains while the others work, then the next, then the collector."""
    caplog.set_level("INFO", "rcmon.process")
    limits = Limits(ceilings=Ceilings(memory=100, files=1, rest=600))
    with family(*three(functools.partial(run_async, draining)), limits=limits) as workers:
        workers.start_due(1000.0)
        look_until(workers, 1000.0, lambda: workers.all_complete)
        first, second, collector = [child.pid for child in workers.alive]
        workers.look(1599.0)
        assert "MiB of memory" not in caplog.text, "a fresh one is left alone"
        look_until(workers, 1600.0, lambda: len(workers.alive) == 2)
        assert [child.pid for child in workers.alive] == [second, collector]
        assert caplog.text.count("it drains, and is started anew") == 1
        workers.start_due(1600.0)
        look_until(workers, 1600.0, lambda: workers.all_complete)
        look_until(workers, 1600.0, lambda: len(workers.alive) == 2)
        again, left = [child.pid for child in workers.alive]
        assert again not in (first, second)
        assert left == collector
        workers.start_due(1600.0)
        look_until(workers, 1600.0, lambda: workers.all_complete)
        endings = [child.slot.last_ending for child in workers.alive]
        look_until(workers, 1600.0, lambda: len(workers.alive) == 2)
        assert collector not in [child.pid for child in workers.alive]
        workers.start_due(1600.0)
        look_until(workers, 1600.0, lambda: workers.all_complete)
        workers.look(1600.0)
        assert len(workers.alive) == 3, "each of them is fresh now"
        last = workers.alive[2].slot.last_ending
    assert [ending and ending.cause for ending in (*endings, last)] == ["recycle", "recycle", None, "recycle"]
    assert str(endings[0]).startswith("replaced for ")


def test_who_takes_too_many_files_is_told_so(watched: Watched) -> None:
    watched.slot.record(cpu_seconds=None, resident_memory_bytes=5 << 20, open_fds=50)
    ceilings = Ceilings(memory=5 << 20, files=49, rest=600)
    assert watched.excess(699.0, ceilings) is None
    assert watched.excess(700.0, ceilings) == "50 open files, more than 49"
    assert watched.excess(700.0, Ceilings(memory=4 << 20, rest=0)) == "5 MiB of memory, more than 4"
    assert watched.excess(700.0, Ceilings(rest=0)) is None


def test_the_last_that_listens_is_never_asked_to_end() -> None:
    limits = Limits(ceilings=Ceilings(memory=100, rest=0))
    spec = ChildSpec("web-0", functools.partial(run_async, draining), 0, listens=True)
    with family(spec, limits=limits) as workers:
        workers.start_due(1000.0)
        look_until(workers, 1000.0, lambda: workers.all_complete)
        (child,) = workers.alive
        for _ in range(3):
            workers.look(1000.0)
        assert child.recycled is None

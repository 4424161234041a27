"""Processes that are killed (-9) at any instant under load, and all at once, as where a machine falls.

`RCMON_TEST_KILLS=1000` kills so often; with `-n 0 -s` it is told how long clients waited.
"""

import contextlib
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.integration.running import PROJECT, WITHIN, Service, children, environment, running, until
from tests.integration.writing import Caller, Writer, not_journaled, writers_of

KILLS = int(os.environ.get("RCMON_TEST_KILLS", "0"))
ASKERS = 4
PATIENCE = 60.0
"""Seconds until who is not answered asks again."""
KEPT = 20
"""So many questions are asked on one connection."""
UNLIMITED = ("--max-request-rate-per-identity", "0")  # all who ask have one identity


class Asker(threading.Thread):
    """Asks all the time; counts what each kill cut, and how long it then took until there was an answer."""

    def __init__(self, caller: Caller, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self._caller, self._over = caller, over
        self.last = -1, float("inf")
        """Which kill is next or was last, and when it was done: one value, set while it asks."""
        self.cut: Counter[int] = Counter()
        self.again: dict[int, float] = {}
        """Seconds from a kill until the answer to a question that was asked after it."""
        self.wrong: list[str] = []
        self.asked = 0

    def run(self) -> None:
        """Ask until told to stop."""
        while not self._over.wait(0.02):
            if self.asked % KEPT == 0:
                self._caller.leave(0)
            self.asked += 1
            begun, (kill, struck) = time.monotonic(), self.last
            try:
                status, _ = self._caller.ask(0, "/api/status")
            except OSError:
                self.cut[self.last[0]] += 1
                continue
            if status != 200:
                self.wrong.append(f"after kill {kill}: {status}")
            elif begun >= struck:
                self.again.setdefault(kill, time.monotonic() - struck)


class Work:
    """All who ask and write while processes are killed."""

    def __init__(self, service: Service) -> None:
        self._over = threading.Event()
        self._callers: list[Caller] = []

        def caller(who: str) -> Caller:
            self._callers.append(Caller([service.port], service.pki, who, PATIENCE))
            return self._callers[-1]

        found = until(
            lambda: service.json("/api/findings?limit=1")["findings"], "a finding, to be acknowledged"
        )
        sites = [site["name"] for site in service.json("/api/sites?limit=2")["sites"]]
        self.reader = caller("reader")
        self.askers = [Asker(caller("reader"), self._over) for _ in range(ASKERS)]
        self.writers = writers_of(caller, sites, found[0]["id"], self._over)
        self._lookers = writers_of(caller, sites, found[0]["id"], self._over)
        """Read what is written, on connections of their own."""

    def begin(self) -> None:
        """Let all of them work."""
        for thread in (*self.askers, *self.writers):
            thread.start()

    def end(self) -> None:
        """Let them end, each with what it does."""
        self._over.set()
        self.release()
        for thread in (*self.askers, *self.writers):
            if thread.is_alive():
                thread.join()

    def leave(self) -> None:
        """End all connections."""
        for caller in self._callers:
            caller.leave(0)

    def hold(self) -> None:
        """Let nobody write after what is written just now: a later number would hide that one is lost."""
        for writer in self.writers:
            writer.free.clear()

    def release(self) -> None:
        """Let everybody who writes go on."""
        for writer in self.writers:
            writer.free.set()

    def go_on(self) -> None:
        """Wait until everybody who writes was answered once more."""
        before = [len(writer.answered) for writer in self.writers]
        until(
            lambda: all(len(one.answered) > then for one, then in zip(self.writers, before, strict=True)),
            "answers to all who write",
        )

    def strike(self, number: int, victim: int) -> None:
        """Kill a process; wait until all who ask were answered again, and what was acknowledged is told."""
        self.hold()
        for asker in self.askers:
            asker.last = number, float("inf")
        os.kill(victim, signal.SIGKILL)
        struck = time.monotonic()
        for asker in self.askers:
            asker.last = number, struck
        until(lambda: all(number in asker.again for asker in self.askers), "answers after a kill")
        self.check()
        self.release()

    def check(self) -> None:
        """Hold that what was acknowledged so far is told, whole; a process learns of it in a second."""
        for writer, looker in zip(self.writers, self._lookers, strict=True):
            if writer.answered:
                least = writer.answered[-1]
                until(
                    lambda looker=looker, least=least: read(looker) >= least,
                    f"{writer.what} {writer.place} to be {least}, which was acknowledged",
                )

    def verdict(self) -> list[str]:
        """Give what was lost, torn, or answered otherwise than with 200."""
        self.check()
        lost = [one for writer in (*self.writers, *self._lookers) for one in writer.lost]
        wrong = [one for asker in self.askers for one in asker.wrong]
        return lost + wrong + not_journaled(self.reader, self.writers)

    def tell(self) -> None:
        """Print what was done, and how long clients waited."""
        acknowledged = sum(len(writer.answered) for writer in self.writers)
        print(f"\n{sum(asker.asked for asker in self.askers)} questions, {acknowledged} writes acknowledged")
        waits = [max(asker.again[kill] for asker in self.askers) for kill in self.askers[0].again]
        if waits:
            cut = sum(sum(asker.cut.values()) for asker in self.askers)
            middle, most = statistics.median(waits), max(waits)
            print(f"{len(waits)} kills cut {cut} requests;", end=" ")
            print(f"everybody was answered after {middle:.3f} s, most {most:.3f}")


def read(looker: Writer) -> int:
    """Read what is told; 0: no answer, which comes while a process begins."""
    with contextlib.suppress(OSError):
        return looker.read(0) or 0
    return 0


@contextlib.contextmanager
def at_work(service: Service) -> Iterator[Work]:
    """Let clients work until the block ends."""
    work = Work(service)
    try:
        work.begin()
        work.go_on()
        yield work
    finally:
        work.end()
        work.leave()


def number_of_snapshot(service: Service) -> int:
    """Tell which snapshot is served; 0: none."""
    snapshot = service.json("/api/status")["snapshot"]
    return snapshot["id"] if snapshot else 0


def test_a_process_that_is_killed_costs_each_client_one_request_at_most(
    tmp_path: Path, stack: tuple[list[str], Path]
) -> None:
    options, pki = stack
    with running(tmp_path, *options, *UNLIMITED, pki=pki) as service:
        parent = service.process.pid
        whole, newest = len(children(parent)), number_of_snapshot(service)
        with at_work(service) as work:
            for number in range(KILLS or 30):
                time.sleep(random.random())
                work.strike(number, random.choice(sorted(children(parent))))
                until(lambda: len(children(parent)) == whole, "a successor")
            work.go_on()
            work.end()
            work.tell()
            until(lambda: number_of_snapshot(service) > newest, "a new snapshot")
            assert work.verdict() == []
            assert [asker.cut for asker in work.askers if max(asker.cut.values(), default=0) > 1] == []
        assert "Traceback" not in service.log.read_text()


def fall(service: Service) -> None:
    """Kill all of it at once."""
    for pid in (service.process.pid, *children(service.process.pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    service.process.wait()


def test_what_was_acknowledged_outlasts_the_fall_of_everything(
    tmp_path: Path, stack: tuple[list[str], Path]
) -> None:
    """The socket is held by who starts it, as systemd does: clients wait meanwhile."""
    options, pki = stack
    with socket.create_server(("localhost", 0), backlog=1024) as held, contextlib.ExitStack() as ending:
        work: Work | None = None
        for number in range((KILLS or 20) + 1):
            with running(tmp_path, *options, *UNLIMITED, pki=pki, listening=held) as service:
                work = work or ending.enter_context(at_work(service))
                work.check()
                work.release()
                work.go_on()
                if number < (KILLS or 20):
                    time.sleep(random.random() / 4)
                    work.hold()
                    fall(service)
                    continue
                work.end()
                work.tell()
                assert work.verdict() == []
                assert "Traceback" not in service.log.read_text()
    done = subprocess.run(
        [sys.executable, "-m", "rcmon.tools.store", "check", "--state-dir", tmp_path / "state"],
        cwd=PROJECT, env=environment(), capture_output=True, text=True, check=False, timeout=WITHIN,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr

"""A crowd of slow clients, and strangers who send bodies: others are answered, and memory stays what it is.

`RCMON_TEST_CROWD=600` lets the crowd stay so many seconds; with `-n 0 -s` it is told how long others waited.
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.integration.running import PROJECT, WITHIN, Service, children, running, until
from tests.integration.writing import Caller

SECONDS = float(os.environ.get("RCMON_TEST_CROWD", "20"))
KIND = 500
"""So many slow heads, bodies and readers each, and as many strangers."""
OTHERS = 4
KEPT = 20
"""So many questions are asked on one connection."""
PAUSE = 0.05
EACH = 100_000
"""Octets that one of the crowd may cost: TLS takes a quarter, what is inflated for a reader the most."""
GRID = ("--demo", "--synthetic", "150x10", "--workers", "2", "--cycle-interval", "3600")


def memory(service: Service) -> int:
    """Give the proportional set size of the whole service in octets: what is shared counts once."""
    total = 0
    for pid in (service.process.pid, *children(service.process.pid)):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


class Other(threading.Thread):
    """One who asks as people do, and notes what the answers are and how long they take."""

    def __init__(self, service: Service, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self._caller, self._over = Caller([service.port], service.pki, "operator", WITHIN), over
        self.took: list[float] = []
        self.wrong: list[str] = []

    def run(self) -> None:
        """Ask until told to stop; again where a connection was cut, as clients do, and then it must hold."""
        cut = False
        while not self._over.wait(PAUSE):
            if len(self.took) % KEPT == 0:
                self._caller.leave(0)
            begun = time.perf_counter()
            try:
                status, _ = self._caller.ask(0, "/api/status")
            except OSError as error:
                if cut:
                    self.wrong.append(str(error))
                cut = True
                continue
            cut = False
            self.took.append(time.perf_counter() - begun)
            if status != 200:
                self.wrong.append(str(status))
        self._caller.leave(0)


def ask(others: list[Other], times: int) -> None:
    """Let some ask, and go on when each was answered so often."""
    for other in others:
        other.start()
    until(lambda: all(len(other.took) > times for other in others), "answers to all")


def tell(what: str, others: list[Other]) -> None:
    """Print how long answers took."""
    took = sorted(one for other in others for one in other.took)
    p99 = took[int(len(took) * 0.99)]
    print(
        f"{what}: {len(took)} answers, median {statistics.median(took) * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms"
    )


def test_others_are_answered_beside_a_crowd(tmp_path: Path) -> None:
    with running(tmp_path, *GRID) as service:
        over = threading.Event()
        alone = [Other(service, over) for _ in range(OTHERS)]
        ask(alone, 5 * KEPT)
        over.set()
        for other in alone:
            other.join()
        before, most = memory(service), 0
        over = threading.Event()
        others = [Other(service, over) for _ in range(OTHERS)]
        crowd = subprocess.Popen(
            [
                sys.executable, "-m", "tests.integration.crowd",
                str(service.port), str(service.pki), str(SECONDS), *[str(KIND)] * 4,
            ],
            cwd=PROJECT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            ask(others, KEPT)
            while crowd.poll() is None:
                most = max(most, memory(service))
                time.sleep(1)
            assert crowd.stdout is not None
            told = json.loads(crowd.stdout.read())
        finally:
            over.set()
            crowd.kill()
            crowd.communicate()
            for other in others:
                other.join()
        print(f"\n{told}; memory {before / 1e6:.0f} MB, most {most / 1e6:.0f} MB")
        tell("alone", alone)
        tell("beside the crowd", others)
        assert [one for other in (*alone, *others) for one in other.wrong] == []
        assert min(told[kind] for kind in ("headers", "bodies", "readers", "strangers")) >= KIND
        assert most - before < 4 * KIND * EACH
        assert "Traceback" not in service.log.read_text()

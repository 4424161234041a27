#!/usr/bin/env python3
"""Run the demo for a while with moving agents, scrapes, streams, writes, reloads and a random fault a minute.

`python tests/load/soak.py --minutes 30`, as root (a small file system of its own lets the disk be full).
After each fault the service must be right again within three cycles, and there must be an answer all the
time. How memory and descriptors go is told as a slope. Needs a C compiler (tests.faked).
"""

import argparse
import contextlib
import http.client
import itertools
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import processes
from faults import FAULTS, Place, lasts
from targets import Pki, Target, free_port, started

from rcmon.demo.demo import NOW_AND_THEN
from tests.faked import faked

PROJECT = Path(__file__).parent.parent.parent
INTERVAL = 10.0
"""Seconds of a cycle."""
CYCLES = 3
"""So many cycles after a fault everything is right again."""
DISK = "192m"
TRIES = 3
"""A client may try again so often: a connection to a process that is killed is cut."""
BELIEVED = 1.0
"""Seconds in which processes may still have the time that the clock's file no longer says (tests.faked)."""
LEAST = 4
"""A slope of fewer points says nothing."""
UNTIMELY = ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "SSLV3_ALERT_BAD_CERTIFICATE")
"""How TLS says that a certificate is no more valid, or not yet."""


class Client:
    """Asks all the time, as operators, their pages and Prometheus do; counts what it gets.

    `clock` is the file that moves the service's clock: while it is set wrong, a refusal that names the time
    of the client's certificate is a right answer.
    """

    def __init__(self, target: Target, clock: Path) -> None:
        self.target, self.clock = target, clock
        self._operator = replace(target, pem=str(Path(target.pem).with_name("operator.pem")))
        self._wrong_until = 0.0
        self.answers: Counter[str] = Counter()
        self.stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(target.status_url, 0.1)),
            threading.Thread(target=self._ask, args=(target.metrics_url, 1.0)),
            threading.Thread(target=self._listen),
            threading.Thread(target=self._write),
        ]

    def __enter__(self) -> "Client":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, url: str, pause: float) -> None:
        while not self.stop.wait(pause):
            self.answers[self.outcome(url)] += 1

    def outcome(self, url: str) -> str:
        """Ask, again where the connection was cut; gives the status code or what went wrong."""
        for _ in range(TRIES):
            wrong = self.clock_is_wrong()
            try:
                with self.open(url) as answer:
                    answer.read()
                    return str(answer.status)
            except urllib.error.HTTPError as error:
                return str(error.code)
            except (OSError, http.client.HTTPException) as error:
                failure = error.reason if isinstance(error, urllib.error.URLError) else error
                if (wrong or self.clock_is_wrong()) and getattr(failure, "reason", None) in UNTIMELY:
                    return "untimely"
                time.sleep(0.3)
        print(f"  {time.strftime('%H:%M:%S')} NO ANSWER: {failure}")
        return "none"

    def _listen(self) -> None:
        """Keep a stream of events open, as a page does."""
        while not self.stop.wait(0.3):
            try:
                with self.open(self.target.status_url.removesuffix("status") + "events") as stream:
                    self.answers["stream"] += 1
                    while not self.stop.is_set() and (line := stream.readline()):
                        self.answers["event"] += line.startswith(b"event:")
            except (OSError, http.client.HTTPException):
                self.answers["stream cut or refused"] += 1

    def _write(self) -> None:
        """Change an override, as an operator does: it is there, or there is an answer that says why not."""
        url = self.target.status_url.removesuffix("status") + "sites/T2_CH_CERN/override"
        held = {"If-None-Match": "*"}
        for number in itertools.count(1000):
            if self.stop.wait(1.0):
                return
            said = {"running_slots": number, "mode": "latched", "reason": "soak"}
            status, held = self._put(url, said, held)
            self.answers[f"write {status}"] += 1

    def _put(self, url: str, said: object, condition: dict[str, str]) -> tuple[str, dict[str, str]]:
        """Write under a condition; gives what came of it and the condition of the next one."""
        fields = {"Content-Type": "application/json", **condition}
        request = urllib.request.Request(url, json.dumps(said).encode(), fields, method="PUT")
        context = self._operator.status().context()
        try:
            with urllib.request.urlopen(request, context=context, timeout=10) as answer:
                return str(answer.status), {"If-Match": answer.headers["ETag"]}
        except urllib.error.HTTPError as error:
            # it was made although the answer was lost, or the store with it was set aside
            current = error.headers["ETag"]
            return str(error.code), {"If-Match": current} if current else {"If-None-Match": "*"}
        except (OSError, http.client.HTTPException):
            return "lost", condition

    def clock_is_wrong(self) -> bool:
        """Tell whether the service's clock is ahead or back, or was a moment ago (it is looked at rarely)."""
        now = time.monotonic()
        if float(self.clock.read_text() or 0) != 0:
            self._wrong_until = now + BELIEVED
        return now < self._wrong_until

    def open(self, url: str):
        """Open a new connection."""
        return urllib.request.urlopen(url, context=self.target.status().context(), timeout=10)

    def status(self) -> dict[str, Any] | None:
        """Read the status document; None where there is none."""
        try:
            with self.open(self.target.status_url) as answer:
                return json.load(answer)
        except (OSError, ValueError, http.client.HTTPException):
            return None


def causes(status: dict[str, Any]) -> dict[tuple[str, str | None], str]:
    """Give what the status complains of, by name and place, and why.

    Without that a store was mended, which is told for an hour, without workers of which an agent itself says
    that they are in error, and without a source that answers now and then: the demo has such.
    """
    found = {(each["name"], each["what"]): each["reason"] for each in status["causes"]}
    return {
        key: reason
        for key, reason in found.items()
        if "set aside" not in reason
        and key[1] != NOW_AND_THEN
        and not (key[0] == "component_down" and "in state Error" in reason)
    }


def is_fresh(status: dict[str, Any]) -> bool:
    """Tell whether the snapshot is of the last two cycles."""
    age = status["snapshot"] and status["snapshot"]["age"]
    return age is not None and age < 2 * INTERVAL


def await_right(client: Client, usual: set[tuple[str, str | None]]) -> float | None:
    """Wait until the status is as usual and a newer snapshot is there; gives the seconds, None: too late."""
    begun = time.monotonic()
    while (took := time.monotonic() - begun) < 6 * INTERVAL:
        status = client.status()
        if status and set(causes(status)) <= usual and is_fresh(status):
            return took
        time.sleep(0.2)
    print("   ", *(causes(status).values() if status else ["no status"]), sep="\n    ")
    return None


@contextlib.contextmanager
def small_disk(path: Path) -> Iterator[None]:
    """Mount a small file system of its own there."""
    path.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "none", path], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", path], check=True)


@contextlib.contextmanager
def running(directory: Path, clock: Path) -> Iterator[Target]:
    """Start the demo on that disk, under that clock."""
    port, state = free_port(), directory / "state"
    command = [sys.executable, str(PROJECT / "run.py"), "--demo", "--port", str(port), "--host", "127.0.0.1"]
    command += ["--workers", "2", "--state-dir", str(state), "--cycle-interval", f"{INTERVAL:g}"]
    command += ["--log-file", str(directory / "rcmon.log"), "--hang-timeout", "5", "--log-access", "slow"]
    base = f"https://localhost:{port}/wm_resource_monitor/api"
    pki = Pki(state / "demo" / "pki")
    with started(command, port, directory / "rcmon.out", **faked(clock)) as pid:
        yield Target(
            "rcmon",
            f"{base}/status",
            f"{base}/metrics",
            pki.path("reader.pem"),
            pki.path("client-ca.crt"),
            pid,
        )


class Course:
    """How memory and descriptors go."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._seen: list[tuple[float, float, int]] = []
        """Hours, megabytes and descriptors."""

    def look(self) -> str:
        """Tell memory, of all processes and of each in the order of their start, and descriptors."""
        descriptors = 0
        for each in processes.tree(self._pid):
            with contextlib.suppress(OSError):
                descriptors += len(os.listdir(f"/proc/{each}/fd"))  # noqa: PTH208 - counts
        sizes = [size / 1e6 for _, size in sorted(processes.pss_bytes(self._pid).items())]
        self._seen.append((time.monotonic() / 3600, sum(sizes), descriptors))
        parts = " + ".join(f"{size:.0f}" for size in sizes)
        return f"PSS {sum(sizes):.0f} MB ({parts}), {descriptors} descriptors"

    def slope(self) -> str:
        """Tell what an hour adds, by the least squares of the second half: the first fills what is kept."""
        half = self._seen[len(self._seen) // 2 :]
        if len(half) < LEAST:
            return "too short for a slope"
        hours = [one[0] for one in half]
        memory, files = (statistics.linear_regression(hours, [one[n] for one in half]).slope for n in (1, 2))
        took = 60 * (hours[-1] - hours[0])
        return f"an hour adds {memory:+.1f} MB and {files:+.1f} descriptors (of the last {took:.0f} minutes)"


def main() -> int:
    """Run; exit code 1 where anything was not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=60, help="seconds between two faults")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--fault", action="append", choices=FAULTS, help="only these (may be repeated)")
    chosen = parser.parse_args()
    dice, bad = random.Random(chosen.seed), 0
    print(f"seed {chosen.seed}")
    with tempfile.TemporaryDirectory() as name, small_disk(Path(name) / "state"):
        directory = Path(name)
        clock = directory / "clock"
        clock.write_text("+0\n")
        with running(directory, clock) as target:
            place = Place(directory / "state" / "demo", target.pid, clock, dice)
            shutil.copy(place.directory / "pki" / "ca.crt", place.directory / "pki" / "client-ca.crt")
            bad = soak(chosen, Client(target, clock), place)
        log = (directory / "rcmon.log").read_text()
        shutil.copy(directory / "rcmon.log", Path(tempfile.gettempdir()) / "soak.log")
    tracebacks = log.count("Traceback")
    print(f"log: {len(log.splitlines())} lines, {tracebacks} tracebacks; kept as soak.log")
    return 1 if bad or tracebacks else 0


def soak(chosen: argparse.Namespace, client: Client, place: Place) -> int:
    """Let one fault after another happen; gives how often something was not as it must be."""
    dice, names = place.dice, chosen.fault or list(FAULTS)
    usual, bad = wait_for_usual(client), 0
    course = Course(place.pid)
    print(f"usual: {usual}; {course.look()}")
    end = time.monotonic() + chosen.minutes * 60
    with client:
        while time.monotonic() < end:
            begun = time.monotonic()
            name = dice.choice(names)
            with FAULTS[name](place):
                lasts(place, INTERVAL)
            took = await_right(client, usual)
            late = took is None or took > CYCLES * INTERVAL
            bad += late
            when, note = time.strftime("%H:%M:%S"), " LATE" if late else ""
            print(f"{when} {name}: right after {took or 0:.1f} s{note}; {course.look()}", flush=True)
            place.reload()
            time.sleep(max(0.0, chosen.every - (time.monotonic() - begun)))
    print(f"answers: {dict(client.answers)}")
    print(course.slope())
    return bad + client.answers["none"]


def wait_for_usual(client: Client) -> set[tuple[str, str | None]]:
    """Wait until the demo complains of nothing but its own components and its silent agent; gives what of."""
    time.sleep(5 * INTERVAL)
    while True:
        status = client.status()
        found = set(causes(status)) if status and is_fresh(status) else None
        if found is not None and {name for name, _ in found} <= {"agent_down", "component_down"}:
            return found
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())

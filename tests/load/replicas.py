#!/usr/bin/env python3
"""Kill who collects, again and again: `python tests/load/replicas.py --seconds 120`.

Three replicas share a PostgreSQL of their own. Every few seconds the one that collects is killed (-9), in
turn its collector alone and all of it, which is started again at once. Meanwhile readers ask each of them,
and reports, overrides and acknowledgements are written through any. What is polled stands still, so that
every answer is known: another one is wrong. Exit code 1 where an answer was wrong, what was acknowledged was
lost, or a reader waited too long for a new snapshot.
"""

import argparse
import asyncio
import contextlib
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import processes
from targets import free_port, started

PROJECT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(PROJECT))

from tests.integration.replicas import collectors, url_of  # noqa: E402 - found by the line above
from tests.integration.writing import (  # noqa: E402
    LONGEST_WAIT,
    AcknowledgementWriter,
    Caller,
    OverrideWriter,
    ReportWriter,
    Writer,
    not_journaled,
    writers_of,
)
from tests.servers import Server, postgresql  # noqa: E402

NUMBER = 3
PATIENCE = 2.0
"""Seconds until a reader asks the next replica."""
OVERRIDDEN = 4
"""So many sites have overrides that change."""
POLLED = ("state", "running_slots", "pending_slots", "running_jobs", "pending_jobs")
"""What is compared of a site in an agent."""


class Reader(threading.Thread):
    """Asks one replica after the other, and the next where one does not answer."""

    def __init__(self, caller: Caller, known: dict[str, Any], over: threading.Event, seed: int) -> None:
        super().__init__(daemon=True)
        self._caller, self._known, self._over, self._dice = caller, known, over, random.Random(seed)
        self.answers: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.longest = 0.0
        """Seconds without a new snapshot."""
        self._newest, self._newest_at = "", time.monotonic()
        self._last: dict[int, str] = {}

    def run(self) -> None:
        """Ask until told to stop."""
        replica = self._dice.randrange(NUMBER)
        for number in itertools.count(1):
            if self._over.wait(0.03):
                break
            if number % 50 == 0:
                self._caller.leave(replica)
            try:
                self._status(replica)
                self._site(replica)
            except OSError:
                replica = (replica + 1) % NUMBER
            else:
                replica = (replica + (number % 20 == 0)) % NUMBER
            self._note("")

    def _status(self, replica: int) -> None:
        if self._caller.is_new(replica):
            self._last.pop(replica, None)  # it may lead to another process
        status, told = self._asked(replica, "/api/status")
        if status != 200 or told is None:
            return
        timestamp = told["timestamp"]
        names = sorted(source["name"] for source in told["sources"])
        if names != self._known["sources"]:
            self.wrong.append(f"sources {names}")
        if timestamp < self._last.get(replica, ""):
            self.wrong.append(f"a snapshot of {timestamp} after one of {self._last[replica]}")
        self._last[replica] = timestamp
        self._note(timestamp)

    def _site(self, replica: int) -> None:
        site = self._dice.choice(list(self._known["sites"]))
        status, told = self._asked(replica, f"/api/sites/{site}")
        if status == 200 and told is not None and (found := polled(told)) != self._known["sites"][site]:
            self.wrong.append(f"{site}: {found} and not {self._known['sites'][site]}")

    def _asked(self, replica: int, path: str) -> tuple[int, dict[str, Any] | None]:
        try:
            status, told = self._caller.ask(replica, path)
        except OSError:
            self.answers["none"] += 1
            raise
        self.answers[str(status)] += 1
        if status not in (200, 503):
            self.wrong.append(f"{path}: {status}")
        return status, told

    def _note(self, timestamp: str) -> None:
        """Note how old the newest snapshot is that was seen, and that one is newer."""
        now = time.monotonic()
        self.longest = max(self.longest, now - self._newest_at)
        if timestamp > self._newest:
            self._newest, self._newest_at = timestamp, now


def polled(site: dict[str, Any]) -> dict[str, Any]:
    """Give what was polled of a site, by agent."""
    return {name: {key: agent[key] for key in POLLED} for name, agent in site["agents"].items()}


class Replica:
    """One that is killed and started again, at the same port."""

    def __init__(self, folder: Path, port: int, options: list[str]) -> None:
        self.folder, self.port = folder, port
        folder.mkdir()
        self._command = [sys.executable, str(PROJECT / "run.py"), "--host", "localhost", "--port", str(port)]
        self._command += ["--state-dir", str(folder / "state"), "--log-file", str(folder / "rcmon.log")]
        self._command += options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process that was started last."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, without waiting for it."""
        with (self.folder / "rcmon.out").open("ab") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=output, cwd=self.folder)

    def kill(self) -> None:
        """Let all of it be gone, as where its machine is."""
        assert self._process is not None
        for pid in processes.tree(self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def kill_collector(self) -> bool:
        """Kill the process that collects; tells whether there was one."""
        assert self._process is not None
        found = collectors(self._process.pid)
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return bool(found)

    def end(self) -> None:
        """End it as an operator does."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()


class Killer:
    """Kills who collects, and measures how long nobody does."""

    def __init__(self, replicas: list[Replica], connection: "asyncpg.Connection[Any]") -> None:
        self._replicas, self._connection = replicas, connection
        self.led: dict[str, list[float]] = {"collector": [], "replica": []}
        """Seconds until another term began, by what was killed."""
        self.collected: dict[str, list[float]] = {"collector": [], "replica": []}
        """Seconds until there was a new snapshot."""

    async def run(self, seconds: float, every: float) -> None:
        """Kill until the time is over."""
        end = time.monotonic() + seconds
        for what in itertools.cycle(("collector", "replica")):
            begun = time.monotonic()
            if begun >= end:
                return
            await self.strike(what)
            await asyncio.sleep(max(0.0, every - (time.monotonic() - begun)))

    async def strike(self, what: str) -> None:
        """Kill once, and wait until somebody collects."""
        holder, replica = await self._leader()
        newest = await self._newest()
        at = time.monotonic()
        if what == "replica":
            replica.kill()
        elif not replica.kill_collector():
            return  # it is being started again
        while await self._holder() in (holder, ""):
            await asyncio.sleep(0.02)
        led = time.monotonic() - at
        while await self._newest() <= newest:
            await asyncio.sleep(0.02)
        collected = time.monotonic() - at
        if what == "replica":
            replica.start()  # not before: its lease would be its own again
        self.led[what].append(led)
        self.collected[what].append(collected)
        name, then = replica.folder.name, (await self._leader())[1].folder.name
        print(
            f"{time.strftime('%H:%M:%S')} killed {what} of {name}: {then} led after {led:.1f} s,"
            f" a snapshot after {collected:.1f} s",
            flush=True,
        )

    async def _holder(self) -> str:
        return str(await self._connection.fetchval("SELECT holder FROM lease WHERE name = 'collector'"))

    async def _newest(self) -> int:
        return int(await self._connection.fetchval("SELECT coalesce(max(id), 0) FROM snapshot"))

    async def _leader(self) -> tuple[str, Replica]:
        while True:
            holder = await self._holder()
            name = Path(holder.rpartition(" ")[0]).parent.name
            for replica in self._replicas:
                if replica.folder.name == name:
                    return holder, replica
            await asyncio.sleep(0.02)


def make_grid(folder: Path) -> Path:
    """Let the demo make its agents and certificates, which then stand still; gives where they are."""
    port, state = free_port(), folder / "made"
    command = [sys.executable, str(PROJECT / "run.py"), "--demo", "--workers", "1", "--state-dir", str(state)]
    command += ["--host", "localhost", "--port", str(port), "--log-file", str(folder / "made.log")]
    with started(command, port, folder / "made.out"):
        await_all(Caller([port], state / "demo" / "pki", "reader"))
    return state / "demo"


def options_of(folder: Path, demo: Path, url: str, interval: float) -> list[str]:
    """Write the options of every replica."""
    shutil.copy(demo / "roles.toml", folder / "roles.toml")
    _, *sources = (demo / "sources.toml").read_text().split("[[source]]")
    agents = [text for text in sources if 'kind = "wmagent"' in text]  # what the demo itself served is gone
    (folder / "sources.toml").write_text("".join(f"[[source]]{text}" for text in agents))
    pki = demo / "pki"
    options = ["--database", url, "--cycle-interval", f"{interval:g}", "--workers", "2"]
    options += ["--tls-cert", str(pki / "server.crt"), "--tls-key", str(pki / "server.key")]
    options += ["--tls-ca", str(pki / "ca.crt"), "--log-access", "slow"]
    options += ["--sources-file", str(folder / "sources.toml"), "--roles-file", str(folder / "roles.toml")]
    return [*options, "--max-request-rate-per-identity", "0"]  # all readers have one identity


def await_all(caller: Caller) -> None:
    """Wait until each replica has a snapshot, and reaches the store."""
    end = time.monotonic() + 120
    for replica in range(caller.replicas):
        told = None
        while not (told and told["snapshot"] and told["store"]["up"]):
            if time.monotonic() > end:
                raise RuntimeError(f"replica {replica + 1} does not serve: {told}")
            time.sleep(0.2)
            with contextlib.suppress(OSError):
                told = caller.ask(replica, "/api/status")[1]


def learn(caller: Caller) -> dict[str, Any]:
    """Learn what is right, which stays so."""
    sites, sources = caller.ask(0, "/api/sites?limit=1000")[1], caller.ask(0, "/api/status")[1]
    findings = caller.ask(0, "/api/findings?limit=1000&kind=site_*")[1]
    assert sites is not None
    assert sources is not None
    assert findings is not None
    return {
        "sites": {site["name"]: polled(site) for site in sites["sites"]},
        "sources": sorted(source["name"] for source in sources["sources"]),
        "finding": findings["findings"][0]["id"] if findings["findings"] else None,
    }


@contextlib.contextmanager
def replicated(
    folder: Path, server: Server, interval: float, number: int = NUMBER, sources: str | None = None
) -> Iterator[tuple[list[Replica], Path]]:
    """Run the replicas until the block ends; `sources`: a sources file's text, in place of the demo's."""
    demo = make_grid(folder)
    options = options_of(folder, demo, url_of(server), interval)
    if sources is not None:
        (folder / "sources.toml").write_text(sources)
    replicas = [Replica(folder / f"replica-{one + 1}", free_port(), options) for one in range(number)]
    try:
        for replica in replicas:
            replica.start()
        yield replicas, demo / "pki"
    finally:
        for replica in replicas:
            replica.end()


async def kill_on(replicas: list[Replica], server: Server, chosen: argparse.Namespace) -> Killer:
    """Kill until the time is over; gives what was measured."""
    connection = await asyncpg.connect(url_of(server))
    try:
        killer = Killer(replicas, connection)
        await killer.run(chosen.seconds, chosen.every)
    finally:
        await connection.close()
    return killer


def spread(values: list[float]) -> str:
    """Tell median and most."""
    if not values:
        return "(none)"
    return f"{median(values):.2f} s (median; most {max(values):.2f} s; of {len(values)})"


def tell(killer: Killer, readers: list[Reader], writers: list[Writer], lost: list[str]) -> int:
    """Print what came of it; gives how much of that must not be."""
    answers = sum((reader.answers for reader in readers), Counter[str]())
    wrong = [one for reader in readers for one in reader.wrong]
    longest = max(reader.longest for reader in readers)
    print(*(f"WRONG {one}" for one in wrong[:20]), *(f"LOST {one}" for one in lost[:20]), sep="\n")
    print(f"answers to {len(readers)} readers: {dict(answers)}")
    print(f"wrong answers: {len(wrong)}")
    print(f"longest without a new snapshot for a reader: {longest:.1f} s")
    for kind in (OverrideWriter, ReportWriter, AcknowledgementWriter):
        some = [writer for writer in writers if isinstance(writer, kind)]
        lags, told = ([one for each in some for one in getattr(each, name)] for name in ("lags", "told"))
        print(
            f"{kind.what.removesuffix(' of')}s: {sum(len(writer.answered) for writer in some)} acknowledged,"
            f" {sum(writer.unanswered for writer in some)} not;"
            f" another one that was asked later by {spread(lags)} told them, after {spread(told)}"
        )
    print(f"acknowledged and lost: {len(lost)}")
    for what in ("collector", "replica"):
        print(f"{what} killed: another term after {spread(killer.led[what])};", end=" ")
        print(f"a new snapshot after {spread(killer.collected[what])}")
    return len(wrong) + len(lost) + (longest >= LONGEST_WAIT)


def main() -> int:
    """Run; exit code 1 where anything was not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--every", type=float, default=5, help="seconds between two kills")
    parser.add_argument("--interval", type=float, default=2, help="seconds of a cycle")
    parser.add_argument("--readers", type=int, default=6)
    chosen = parser.parse_args()
    over = threading.Event()
    with (
        tempfile.TemporaryDirectory() as name,
        postgresql() as server,
        replicated(Path(name), server, chosen.interval) as (replicas, pki),
    ):
        ports = [replica.port for replica in replicas]

        def caller(who: str) -> Caller:
            return Caller(ports, pki, who)

        mine = caller("reader")
        await_all(mine)
        time.sleep(5 * chosen.interval)
        known = learn(mine)
        print(f"{len(known['sites'])} sites, {len(known['sources'])} sources, {NUMBER} replicas")
        readers = [
            Reader(Caller(ports, pki, "reader", PATIENCE), known, over, seed)
            for seed in range(chosen.readers)
        ]
        sites = random.Random(1).sample(sorted(known["sites"]), OVERRIDDEN)
        writers = writers_of(caller, sites, known["finding"], over)
        for thread in (*readers, *writers):
            thread.start()
        killer = asyncio.run(kill_on(replicas, server, chosen))
        over.set()
        for thread in (*readers, *writers):
            thread.join()
        await_all(mine)
        for writer in writers:
            writer.check()
        lost = [one for writer in writers for one in writer.lost] + not_journaled(mine, writers)
        logs = "".join((replica.folder / "rcmon.log").read_text() for replica in replicas)
        print(f"logs: {logs.count('Traceback')} tracebacks")
        return 1 if tell(killer, readers, writers, lost) or "Traceback" in logs else 0


if __name__ == "__main__":
    sys.exit(main())

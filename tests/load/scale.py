#!/usr/bin/env python3
"""Time a grid of a hundred agents: `python tests/load/scale.py --replicas 2 --agents 100`.

Each agent is a database of 150 sites and some thousand jobs, read like a real one. Replicas share a
PostgreSQL of their own, and so the polls. Printed are how long a cycle takes, from its begin until its
snapshot is in the store; how long a scrape of one agent takes; and what all of it holds in memory. Exit code
1 where a source was not read.
"""

import argparse
import asyncio
import gzip
import http.client
import sqlite3
import ssl
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import asyncpg
import cycle
import processes
from replicas import Replica, await_all, replicated

PROJECT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(PROJECT))

from tests.integration.replicas import url_of  # noqa: E402 - found by the line above
from tests.integration.writing import BASE, Caller  # noqa: E402
from tests.servers import Server, postgresql  # noqa: E402

SCRAPES = 3
"""So often each agent is scraped."""


def make_agents(folder: Path, number: int) -> str:
    """Make so many databases, alike but for their hosts; gives a sources file."""
    first, text = folder / "agent.sqlite", []
    cycle.make_agent(first)
    with closing(sqlite3.connect(first)) as database:
        database.execute("PRAGMA journal_mode=DELETE")
    for name in (f"agent{one:03d}" for one in range(number)):
        path = folder / f"{name}.sqlite"
        path.write_bytes(first.read_bytes())
        with closing(sqlite3.connect(path)) as database:
            host = ("hostname", f"{name}.example.org")
            database.execute("INSERT OR REPLACE INTO wma_init (init_param, init_value) VALUES (?, ?)", host)
            database.commit()
        text.append(f'[[source]]\nname = "{name}"\nkind = "wmagent"\nurl = "sqlite:///{path}"\n')
    return "".join(text)


async def cycles(server: Server, number: int) -> tuple[list[float], list[float]]:
    """Wait for so many snapshots; gives when each was concluded and was there, after its cycle's begin."""
    connection = await asyncpg.connect(url_of(server))
    try:
        newest = "SELECT id, started, finished FROM snapshot ORDER BY id DESC LIMIT 1"
        seen, concluded, took = (await connection.fetchrow(newest))["id"], [], []
        while len(took) < number:
            row = await connection.fetchrow(newest)
            if row["id"] > seen:
                seen = row["id"]
                concluded.append(row["finished"] - row["started"])
                took.append(time.time() - row["started"])
            await asyncio.sleep(0.02)
        return concluded, took
    finally:
        await connection.close()


def scrapes(port: int, pki: Path, agents: int) -> tuple[list[float], int, int]:
    """Scrape each agent by itself, over one connection; gives seconds, and most octets and series."""
    tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    tls.load_cert_chain(pki / "reader.pem")
    connection = http.client.HTTPSConnection("localhost", port, context=tls)
    took, octets, series = [], 0, 0
    connection.connect()
    for number in [*range(agents)] * SCRAPES:
        begun = time.perf_counter()
        fields = {"Accept-Encoding": "gzip", "Accept": "text/plain"}
        connection.request("GET", f"{BASE}/api/metrics?agent=agent{number:03d}", headers=fields)
        answer = connection.getresponse()
        body = answer.read()
        took.append(time.perf_counter() - begun)
        if answer.status != 200:
            raise RuntimeError(f"a scrape of agent{number:03d}: {answer.status} {body[:200]!r}")
        if number == 0:
            octets = len(body)
            lines = gzip.decompress(body).splitlines()
            series = sum(not line.startswith(b"#") for line in lines)
    connection.close()
    return took, octets, series


def tell_memory(replicas: list[Replica]) -> None:
    """Print the proportional set size of each process, largest first."""
    for replica in replicas:
        sizes = sorted(processes.pss_bytes(replica.pid).values(), reverse=True)
        print(f"{replica.folder.name}: {', '.join(f'{size / 1e6:.0f}' for size in sizes)} MB")


def spread(values: list[float], unit: float, name: str) -> str:
    """Tell median and most."""
    return f"{statistics.median(values) * unit:.1f} {name} (most {max(values) * unit:.1f}; of {len(values)})"


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicas", type=int, default=2)
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=7000, help="jobs of each agent")
    parser.add_argument("--interval", type=float, default=20, help="seconds of a cycle")
    parser.add_argument("--cycles", type=int, default=6)
    chosen = parser.parse_args()
    cycle.JOBS = chosen.jobs
    with (
        tempfile.TemporaryDirectory() as name,
        postgresql() as server,
        replicated(
            Path(name), server, chosen.interval, chosen.replicas, make_agents(Path(name), chosen.agents)
        ) as (replicas, pki),
    ):
        caller = Caller([replica.port for replica in replicas], pki, "reader", 60)
        await_all(caller)
        time.sleep(2 * chosen.interval)  # the second cycle compares for the first time, and may be shared
        for replica in range(len(replicas)):
            caller.leave(replica)
        before = [processes.cpu_seconds(replica.pid) for replica in replicas]
        concluded, took = asyncio.run(cycles(server, chosen.cycles))
        busy = [processes.cpu_seconds(one.pid) - then for one, then in zip(replicas, before, strict=True)]
        told = caller.ask(0, "/api/status")[1]
        assert told is not None
        wrong = [
            source for source in told["sources"] if source["error"] or source["age"] > 3 * chosen.interval
        ]
        seconds, octets, series = scrapes(replicas[0].port, pki, chosen.agents)
        print(f"{len(told['sources'])} agents, {series * chosen.agents} series, {len(replicas)} replicas")
        print(f"a cycle, from its begin until its snapshot is stored: {spread(took, 1, 's')}")
        print(f"the part of it until all was polled and concluded: {spread(concluded, 1, 's')}")
        print(f"CPU of a cycle: {', '.join(f'{one / len(took):.1f}' for one in busy)} s by replica")
        print(f"a scrape of one agent, {series} series, {octets / 1e3:.0f} kB: {spread(seconds, 1e3, 'ms')}")
        tell_memory(replicas)
        logs = "".join((replica.folder / "rcmon.log").read_text() for replica in replicas)
        print(f"sources not read: {len(wrong)}; logs: {logs.count('Traceback')} tracebacks")
        for line in [line for line in logs.splitlines() if "WARNING" in line or "ERROR" in line][:20]:
            print(f"  {line}")
        return 1 if wrong or "Traceback" in logs else 0


if __name__ == "__main__":
    sys.exit(main())

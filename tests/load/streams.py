#!/usr/bin/env python3
"""What open streams of events cost a web worker: `python tests/load/streams.py --streams 200`.

A demo of a generated grid, all of whose sites change in each cycle, is listened to over mutual TLS. CPU and
proportional set size are those of the web workers beyond what they take while nobody listens.
"""

import argparse
import asyncio
import contextlib
import ssl
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from processes import cpu_seconds, pss_bytes, tree, wait_until_quiet
from targets import Target, demo

WORKERS = 2
PATIENCE = 120.0
QUIET = 3.0
"""Seconds until all have been told of the last snapshot."""
AT_ONCE = asyncio.Semaphore(10)


def options(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=200, help="per worker; two of those run")
    parser.add_argument("--synthetic", default="150x10", metavar="SITESxAGENTS")
    parser.add_argument("--interval", type=float, default=10.0, help="seconds of a cycle")
    parser.add_argument("--snapshots", type=int, default=3, help="so many are waited for in each part")
    parser.add_argument("--query", default="", help="such as rows=short")
    parser.add_argument("--identity", action="store_true", help="without gzip")
    return parser.parse_args(arguments)


class Listener:
    """One stream, whose bytes are counted and thrown away."""

    def __init__(self) -> None:
        self.bytes = self.snapshots = 0
        self.ended = False

    async def listen(self, target: Target, context: ssl.SSLContext, query: str, *, packed: bool) -> None:
        """Read until the stream ends."""
        parts = urlsplit(target.status_url)
        async with AT_ONCE:  # handshakes have a time in which to end
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=context)
        path = parts.path.removesuffix("/status") + "/events" + (f"?{query}" if query else "")
        coding = "Accept-Encoding: gzip\r\n" if packed else ""
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{coding}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head:
            raise RuntimeError(head.decode())
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 18):
                self.bytes += len(data)
                self.snapshots += data.count(b"event: snapshot")
        self.ended = True


def web_workers(target: Target, streams: int) -> dict[int, int]:
    """Give the web workers with how many connections each has: who else has as many sockets?"""
    found = {}
    for pid in tree(target.pid):
        links = [link.readlink() for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
        sockets = sum(str(link).startswith("socket:") for link in links)
        if sockets > streams // 10:
            found[pid] = sockets
    return found


async def measure(target: Target, wanted: argparse.Namespace) -> None:
    """Measure without streams, then with them."""
    pids, seconds = tree(target.pid), wanted.interval * wanted.snapshots
    before = {pid: cpu_seconds(pid) for pid in pids}
    await asyncio.sleep(seconds)
    idle = {pid: cpu_seconds(pid) - before[pid] for pid in pids}
    alone = pss_bytes(target.pid)
    context = target.status().context()
    listeners = [Listener() for _ in range(wanted.streams * WORKERS)]
    teller = Listener()
    query = wanted.query
    tasks = [
        asyncio.create_task(one.listen(target, context, query, packed=not wanted.identity))
        for one in listeners
    ]
    tasks.append(asyncio.create_task(teller.listen(target, context, "rows=names", packed=False)))
    await until(lambda: all(one.bytes for one in listeners) and teller.snapshots >= 1, tasks)
    workers = web_workers(target, wanted.streams)
    start, begin = {pid: cpu_seconds(pid) for pid in workers}, time.monotonic()
    seen, size = teller.snapshots, sum(one.bytes for one in listeners)
    await until(lambda: teller.snapshots >= seen + wanted.snapshots, tasks)
    await asyncio.sleep(max(0.0, begin + seconds - time.monotonic()))
    took = time.monotonic() - begin
    snapshots = teller.snapshots - seen
    end = {pid: cpu_seconds(pid) for pid in workers}
    await asyncio.sleep(QUIET)
    sizes = pss_bytes(target.pid)
    told = (sum(one.bytes for one in listeners) - size) / snapshots / len(listeners)
    print(f"{snapshots} snapshots in {took:.0f} s, {told / 1024:.1f} KB each to a stream")
    for pid, count in workers.items():
        extra = end[pid] - start[pid] - idle[pid] * took / seconds
        memory = (sizes[pid] - alone[pid]) / 1e6
        print(
            f"worker {pid}: {count} connections, {memory:.1f} MB more, {extra / snapshots * 1000:.0f} ms of"
            f" CPU more for a snapshot: {extra / snapshots / 60 * 100:.2f} % of a core at one a minute"
        )
    if any(one.ended for one in listeners):
        print(f"{sum(one.ended for one in listeners)} streams ended")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def until(holds, tasks) -> None:  # type: ignore[no-untyped-def]
    """Wait until something holds, or a task failed."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            for task in tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.1)


def main() -> None:
    """Start a demo and measure."""
    wanted = options(sys.argv[1:])
    with tempfile.TemporaryDirectory() as directory:
        limits = ["--max-streams-per-identity", "100000", "--cycle-interval", str(wanted.interval)]
        with demo(Path(directory), wanted.synthetic, WORKERS, *limits) as target:
            wait_until_quiet(target.pid)
            asyncio.run(measure(target, wanted))


if __name__ == "__main__":
    main()

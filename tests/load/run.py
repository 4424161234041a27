#!/usr/bin/env python3
"""Put rcmon under load: `python tests/load/run.py --help`.

Without --url a demo with a generated grid is started for the run. With --compare the reference (Flask on
gunicorn), other Python servers and nginx take the same load alternately, as far as they are installed.
"""

import argparse
import asyncio
import contextlib
import importlib.util
import json
import platform
import shutil
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apache_bench
import processes
from client import Endpoint, Result, closed_loop, open_loop
from targets import Pki, Target, demo, nginx, other, reference

from rcmon.demo.pki import make_pki

MODES = ("status", "connect", "scrape", "rate", "mixed")


def options(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("modes", nargs="*", metavar="MODE", help=f"of {', '.join(MODES)} (default: all but rate)")
    add("--url", help="a running service, such as https://localhost:5000/wm_resource_monitor")
    add("--cert", help="with --url: client certificate and key in one PEM file")
    add("--ca", help="with --url: the CA of the server")
    add("--pid", type=int, default=0, help="with --url: its first process, to measure CPU and memory")
    add(
        "--synthetic", default="150x1", metavar="SITESxAGENTS", help="grid of the demo (default: %(default)s)"
    )
    add("--workers", type=int, default=2, help="web processes of the demo (default: %(default)s)")
    add("--seconds", type=float, default=5.0, help="length of one run (default: %(default)s)")
    add("--connections", type=int, default=32, help="clients at once (default: %(default)s)")
    add("--rate", type=float, default=500.0, help="requests a second of mode rate (default: %(default)s)")
    add("--rounds", type=int, default=1, help="how often each run is repeated; medians are printed")
    add("--compare", action="store_true", help="load the reference and others alternately, print ratios")
    add(
        "--option",
        action="append",
        default=[],
        help="a further option for the demo, such as --option=--short-way=off",
    )
    add("--own-client", action="store_true", help="do not use ab although it is installed")
    add("--json", metavar="FILE", help="write what came out to a file too")
    made = parser.parse_args(arguments)
    made.modes = made.modes or [mode for mode in MODES if mode != "rate"]
    for mode in made.modes:
        if mode not in MODES:
            parser.error(f"mode {mode!r} is none of {', '.join(MODES)}")
    if made.url and not (made.cert and made.ca):
        parser.error("--url needs --cert and --ca")
    return made


class Bar:
    """A progress bar on standard error, where that is a terminal."""

    def __init__(self, label: str) -> None:
        self.label, self.shown = label, sys.stderr.isatty()

    def __call__(self, done: float) -> None:
        """Show how much is done, 0 to 1."""
        if self.shown:
            full = int(done * 30)
            print(
                f"\r{self.label:<28} [{'#' * full}{'.' * (30 - full)}]", end="", file=sys.stderr, flush=True
            )

    def clear(self) -> None:
        """Take the bar away."""
        if self.shown:
            print("\r" + " " * 64 + "\r", end="", file=sys.stderr, flush=True)


def load(endpoint: Endpoint, given: argparse.Namespace, connections: int, *, keep: bool, bar: Bar) -> Result:
    """Ask as fast as answers come."""
    if apache_bench.is_installed() and not given.own_client and endpoint.old_keep_alive:
        return apache_bench.run(endpoint, connections, given.seconds, keep=keep, progress=bar)
    return asyncio.run(closed_loop(endpoint, connections, given.seconds, keep=keep, progress=bar))


async def mixed(target: Target, given: argparse.Namespace, bar: Bar) -> Result:
    """Ask 300 times a second for the status while the metrics are scraped 4 times a second."""
    status = open_loop(target.status(), given.connections, given.seconds, rate=300, progress=bar)
    scrape = open_loop(target.metrics(), 4, given.seconds, rate=4, progress=lambda _: None)
    result, scrapes = await asyncio.gather(status, scrape)
    result.errors += scrapes.errors
    return result


def run_mode(mode: str, target: Target, given: argparse.Namespace, bar: Bar) -> Result:
    """Run one mode against one target."""
    if mode == "status":
        return load(target.status(), given, given.connections, keep=True, bar=bar)
    if mode == "connect":
        return load(target.status(), given, given.connections, keep=False, bar=bar)
    if mode == "scrape":
        return load(target.metrics(), given, 4, keep=True, bar=bar)
    if mode == "rate":
        loop = open_loop(target.status(), given.connections, given.seconds, rate=given.rate, progress=bar)
        return asyncio.run(loop)
    return asyncio.run(mixed(target, given, bar))


def measured(mode: str, target: Target, given: argparse.Namespace) -> dict[str, Any]:
    """Run one mode and write down what it gave; times in milliseconds, CPU in microseconds a request."""
    bar = Bar(f"{mode} {target.name}")
    before = processes.cpu_seconds(target.pid) if target.pid else None
    result = run_mode(mode, target, given, bar)
    after = processes.cpu_seconds(target.pid) if target.pid else None
    bar.clear()
    row: dict[str, Any] = {
        "mode": mode, "target": target.name, "requests": result.requests, "errors": result.errors,
        "requests_per_second": result.requests / max(result.seconds, 1e-9), "body_bytes": result.size,
    }  # fmt: skip
    for percent in (50, 90, 99):
        value = result.percentile(percent)
        row[f"p{percent}_ms"] = None if value is None else value * 1000
    if before is not None and after is not None and result.requests:
        row["cpu_us"] = (after - before) / result.requests * 1e6
        row["pss_mb"] = {pid: size / 1e6 for pid, size in processes.pss_bytes(target.pid).items()}
    return row


def medians(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Take the median of each figure over the rounds."""
    middle = dict(rows[-1])
    for key, value in middle.items():
        if isinstance(value, float):
            middle[key] = statistics.median(row[key] for row in rows)
    middle["errors"] = sum(row["errors"] for row in rows)
    return middle


def fits(mode: str, target: Target) -> bool:
    """Tell whether a target has what a mode asks for."""
    return target.metrics_url is not None or mode in {"status", "connect", "rate"}


def targets(given: argparse.Namespace, stack: contextlib.ExitStack, directory: Path) -> list[Target]:
    """Start what is to be loaded."""
    if given.url:
        base = given.url.rstrip("/") + "/api"
        ours = Target("rcmon", f"{base}/status", f"{base}/metrics", given.cert, given.ca, given.pid)
    else:
        ours = stack.enter_context(demo(directory, given.synthetic, given.workers, *given.option))
    if not given.compare:
        return [ours]
    pki = Pki(Path(ours.pem).parent) if not given.url else own_pki(directory)
    status, exposition = fetch(ours.status()), fetch(ours.metrics())
    series = sum(1 for line in exposition.splitlines() if line and not line.startswith(b"#"))
    print(f"{series} series, {len(exposition)} bytes", flush=True)
    found = [ours]
    if importlib.util.find_spec("gunicorn"):
        found.append(stack.enter_context(reference(directory, pki, series)))
    else:
        print("the reference is left out: pip install -e '.[bench]'")
    found += [
        stack.enter_context(other(name, directory, pki))
        for name in ("aiohttp", "starlette")
        if importlib.util.find_spec(name) and importlib.util.find_spec("uvicorn")
    ]
    if shutil.which("nginx") or Path("/usr/sbin/nginx").exists():
        found.append(stack.enter_context(nginx(directory, pki, status, exposition)))
    return found


def own_pki(directory: Path) -> Pki:
    """Make certificates for the servers to compare with."""
    make_pki(directory / "pki")
    return Pki(directory / "pki")


def fetch(endpoint: Endpoint) -> bytes:
    """Ask once, for the text as it is."""
    with urllib.request.urlopen(endpoint.url, context=endpoint.context()) as answer:
        return bytes(answer.read())


def printed(row: dict[str, Any], base: dict[str, Any] | None) -> str:
    """Write one row for people."""

    def figure(key: str, form: str) -> str:
        return format(row[key], form) if row.get(key) is not None else "-"

    line = f"{row['mode']:<8} {row['target']:<10} {figure('requests_per_second', '9.0f')} req/s"
    line += "".join(f"  p{p} {figure(f'p{p}_ms', '7.2f')} ms" for p in (50, 90, 99))
    line += f"  cpu {figure('cpu_us', '9.1f')} us  errors {row['errors']}"
    if base is not None and base is not row and base.get("cpu_us") and row.get("cpu_us"):
        line += f"  ({row['cpu_us'] / base['cpu_us']:.2f} x rcmon)"
    return line


def compare(
    found: list[Target], given: argparse.Namespace, show: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Run every mode against every target, alternately over the rounds."""
    rows = []
    for mode in given.modes:
        fitting = [target for target in found if fits(mode, target)]
        taken: dict[str, list[dict[str, Any]]] = {target.name: [] for target in fitting}
        for _ in range(given.rounds):
            for target in fitting:
                taken[target.name].append(measured(mode, target, given))
        middle = [medians(taken[target.name]) for target in fitting]
        for row in middle:
            show(printed(row, middle[0]))
        rows += middle
    return rows


def main() -> None:
    """Run."""
    given = options(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="rcmon-load-") as name, contextlib.ExitStack() as stack:
        found = targets(given, stack, Path(name))
        for target in found:
            if target.pid:
                processes.wait_until_quiet(target.pid)
        rows = compare(found, given, lambda line: print(line, flush=True))
        for row in [row for row in rows if row["target"] == "rcmon"][-1:]:
            for pid, size in (row.get("pss_mb") or {}).items():
                print(f"memory of {row['target']} process {pid}: {size:.1f} MB")
    if given.json:
        machine = {"python": platform.python_version(), "system": platform.platform()}
        document = {"date": time.strftime("%Y-%m-%d"), "machine": machine, "rows": rows}
        Path(given.json).write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()

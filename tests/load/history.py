#!/usr/bin/env python3
"""Make a year of history and ask for it: `python tests/load/history.py --sites 150 --agents 10 --days 365`.

History is packed by the store's own code: a change each cycle for the last 30 days, what held at each quarter
of an hour before. Then a demo serves it, and it is asked over mutual TLS beside its status; and a board takes
new snapshots beside a question for a year. Figures are milliseconds, median and most.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

from msgspec import msgpack, structs
from sqlalchemy import insert

from rcmon.collector import clock
from rcmon.collector.cycle import Cycle
from rcmon.collector.totals import grid_point
from rcmon.demo.synthetic import synthetic_sources
from rcmon.model import HistoryRow, Snapshot, TaskPoint
from rcmon.model.journal import STATE, JournalEntry
from rcmon.render import render
from rcmon.store import Store
from rcmon.store.about import DEMO
from rcmon.store.chunks import Points, from_rows, pack
from rcmon.store.grid import add_grid
from rcmon.store.history import add_history
from rcmon.store.horizons import set_horizon
from rcmon.store.journal import add_entries
from rcmon.store.packing import COARSE, DAY
from rcmon.store.past import Wanted, fetch, find_series
from rcmon.store.reader import StoredSnapshots
from rcmon.store.steps import steps
from rcmon.store.tables import CHUNK, GRID, SERIES
from rcmon.web.board import Board
from rcmon.web.worker import SWITCH
from tests.store.using import save

sys.path.insert(0, str(Path(__file__).parent))
from client import Client, Endpoint
from processes import cpu_seconds
from targets import Target, demo

RAW_DAYS = 30
VARIANTS = 48
"""Days that are made up; each series has them in another order."""
HOUR = 3600
ENTRIES = 200
"""Entries of the journal each day."""
TASKS = ("Cleanup", "Harvesting", "LogCollect", "Merge", "Processing", "Production", "Skim")


def options(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=150)
    parser.add_argument("--agents", type=int, default=10)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument(
        "--interval", type=int, default=60, help="seconds between changes, of the last 30 days"
    )
    parser.add_argument("--rounds", type=int, default=15, help="how often each question is asked")
    parser.add_argument("--directory", type=Path, help="where to make it, or where it was made (it stays)")
    return parser.parse_args(arguments)


class Days:
    """Made-up days: jobs that come and go by steps, thresholds that change some times a day."""

    def __init__(self, interval: int) -> None:
        rng = Random(1)
        self.fine = [from_rows(_day(rng, interval)) for _ in range(VARIANTS)]
        self.coarse = [points.thinned(COARSE * 1000) for points in self.fine]
        self._tasks = {id(points): pack(points)[1] for points in (*self.fine, *self.coarse)}

    def chunk(self, points: Points, begin: int, until: float) -> dict[str, Any]:
        """Pack one of them as the day that begins at a time; its task types are packed once."""
        times = [time + begin * 1000 for time in points.times]
        count = sum(time < until * 1000 for time in times)
        if count < len(times):
            points = points.take(range(count))
            body, tasks = pack(structs.replace(points, times=times[:count]))
        else:
            tasks = self._tasks[id(points)]
            body, _ = pack(structs.replace(points, times=times, tasks={}))
        return {"begin": begin, "points": count, "body": body, "tasks": tasks}


def _day(rng: Random, interval: int) -> Iterator[HistoryRow]:
    jobs = {task: [rng.randrange(400), rng.randrange(900)] for task in TASKS}
    limits = {task: [500, 100] for task in TASKS}
    state = "Normal"
    for at in range(0, DAY, interval):
        for of in jobs.values():
            of[0], of[1] = (max(0, number + rng.randint(-4, 4)) for number in of)
        if rng.random() < interval / (DAY / 4):
            limits[rng.choice(TASKS)] = [rng.randrange(300, 900), rng.randrange(50, 200)]
        if rng.random() < interval / (10 * DAY):
            state = rng.choice(("Normal", "Draining", "Down"))
        tasks = tuple(TaskPoint(task, *jobs[task], *limits[task]) for task in TASKS)
        running, pending = (sum(of[place] for of in jobs.values()) for place in (0, 1))
        yield HistoryRow(at, "", "", state, 3500, 700, running, pending, tasks)


async def make(store: Store, given: argparse.Namespace, now: int) -> None:
    """Write all of it."""
    await store.migrate()
    snapshot = await one_cycle(given, now)
    days, packed = Days(given.interval), now - HOUR
    series = [(agent.name, site) for agent in snapshot.agents.values() for site in agent.sites]
    async with store.transaction() as connection:
        await connection.execute(insert(SERIES), [{"agent": agent, "site": site} for agent, site in series])
        numbers = [one.number for one in await connection.run_sync(find_series)]
        for name, back in (("packed", HOUR), ("raw", RAW_DAYS * DAY), ("kept", given.days * DAY)):
            await set_horizon(connection, name, now - back)
    today = now // DAY * DAY
    point = grid_point(snapshot)
    for back in range(given.days, -1, -1):
        begin = today - back * DAY
        fine = begin >= now - (RAW_DAYS + 1) * DAY
        kinds = [(COARSE, days.coarse), *([(0, days.fine)] if fine else [])]
        async with store.transaction() as connection:
            for step, variants in kinds:
                made = [days.chunk(points, begin, packed) for points in variants]
                rows = [
                    {"series": number, "step": step, **chunk}
                    for number in numbers
                    if (chunk := made[(number * 7 + back * 11) % VARIANTS])["points"]
                ]
                if rows:
                    await connection.execute(insert(CHUNK), rows)
            times = range(begin, min(begin + DAY, packed), given.interval if fine else COARSE)
            grid = [{"time": at, "body": msgpack.encode(structs.replace(point, time=at))} for at in times]
            if grid:
                await connection.execute(insert(GRID), grid)
            await add_entries(connection, list(_entries(series, begin, back)))
    seeds = Random(2)
    for time_ in range(packed, now - given.interval, given.interval):
        later = [_row(seeds, time_, *one) for one in series]
        async with store.transaction() as connection:
            await add_history(connection, later)
            await add_grid(connection, structs.replace(point, time=time_))
    await store.close()


def _entries(series: list[tuple[str, str]], begin: int, seed: int) -> Iterator[JournalEntry]:
    rng = Random(seed)
    for number in range(ENTRIES):
        agent, site = rng.choice(series)
        old, new = {"state": "Normal"}, {"state": "Draining"}
        yield JournalEntry(begin + number, STATE.name, old, new, agent, site)


def _row(rng: Random, time_: float, agent: str, site: str) -> HistoryRow:
    tasks = tuple(TaskPoint(task, rng.randrange(400), rng.randrange(900), 500, 100) for task in TASKS)
    return HistoryRow(
        time_, agent, site, "Normal", 3500, 700,
        sum(task.running_jobs or 0 for task in tasks), sum(task.pending_jobs or 0 for task in tasks), tasks,
    )  # fmt: skip


async def one_cycle(given: argparse.Namespace, now: float) -> Snapshot:
    """Poll the generated grid once."""
    cycle = Cycle(list(synthetic_sources((given.sites, given.agents), "load")), 60.0, 3600.0)
    snapshot, _ = await cycle.run(structs.replace(clock.read(), wall=float(now)), lambda _: None)
    await cycle.close()
    return snapshot


async def timed(ask: Callable[[], Awaitable[Any]], rounds: int) -> list[float]:
    """Ask so many times, once before; milliseconds."""
    await ask()
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        await ask()
        times.append((time.perf_counter() - begin) * 1000)
    return times


def told(label: str, times: list[float], base: float, goal: float | None = None, more: str = "") -> None:
    """Print a line: milliseconds, and how many times as long as what is asked beside."""
    middle = statistics.median(times)
    reached = "" if goal is None else f"; goal {goal:g} ms: {'reached' if middle < goal else 'MISSED'}"
    print(
        f"{label}: median {middle:.1f} ms, most {max(times):.1f} ms, {middle / base:.1f} x{more}{reached}",
        flush=True,
    )


async def ask_service(target: Target, given: argparse.Namespace, now: int) -> None:
    """Ask the running service, one question after the other on one connection."""
    api = target.status_url.removesuffix("/status")
    site, month = "T1_US_FNAL", now - RAW_DAYS * DAY - HOUR

    async def question(path: str, **query: object) -> tuple[list[float], str]:
        endpoint = Endpoint(f"{api}{path}?{urlencode(query)}", target.pem, target.ca)
        client = Client(endpoint)
        sizes: list[int] = []

        async def ask() -> None:
            status, size = await client.ask()
            if status != 200:
                raise RuntimeError(f"{path}: {status}")
            sizes.append(size)

        before = cpu_seconds(target.pid)
        times = await timed(ask, given.rounds)
        busy = (cpu_seconds(target.pid) - before) / (given.rounds + 1) * 1000
        await client.close()
        return times, f", {busy:.1f} ms of CPU, {sizes[-1] / 1e6:.2f} MB"

    # every site of today, made by a query: what a list costs without the past
    sites, more = await question("/sites", sort="-running_jobs")
    base = statistics.median(sites)
    told("/sites?sort= now, beside", sites, base, None, more)
    for step, goal in (("1h", 50.0), ("15m", None), ("1d", None)):
        times, more = await question(f"/sites/{site}/history", **{"from": month, "to": now, "step": step})
        told(f"a month of one site, step {step}", times, base, goal, more)
    for path, query in (
        ("/sites", {}), ("/agents", {}), (f"/sites/{site}", {}), ("/why", {"limit": 1000}),
        (f"/sites/{site}/why", {}),
    ):  # fmt: skip
        times, more = await question(path, at=month, **query)
        told(f"{path} a month ago", times, base, 300.0, more)


async def swap_beside(store: Store, given: argparse.Namespace, now: int) -> None:
    """Let a board take new snapshots, alone and while a year of one site is read all the time."""
    sys.setswitchinterval(SWITCH)  # as a worker does
    board, last, stop = Board(StoredSnapshots(store)), await one_cycle(given, now - HOUR), asyncio.Event()
    documents = render(last)

    async def swap() -> float:
        nonlocal last
        last = structs.replace(last, started=last.started + 1)
        await save(store, last, documents, [])
        begin = time.perf_counter()
        if not await board.check():
            raise RuntimeError("there is no newer snapshot")
        return (time.perf_counter() - begin) * 1000

    async def years() -> int:
        answered, year = 0, Wanted(now - 365 * DAY, now, COARSE)
        moments = range((now - 365 * DAY) * 1000, now * 1000, COARSE * 1000)
        while not stop.is_set():
            found = await store.ask(
                lambda connection: fetch(connection, find_series(connection, "T1_US_FNAL"), year)
            )
            await store.compute(partial(steps, found, moments, ""))
            answered += 1
        return answered

    alone = [await swap() for _ in range(given.rounds)]
    reading = asyncio.ensure_future(years())
    await asyncio.sleep(0)
    beside = [await swap() for _ in range(given.rounds)]
    stop.set()
    answered = await reading
    base = statistics.median(alone)
    told("board's swap, alone", alone, base)
    told("board's swap beside a question for a year", beside, base, 50.0, f", {answered} answered")
    await store.close()


def main() -> None:
    """Run."""
    given = options(sys.argv[1:])
    with tempfile.TemporaryDirectory(prefix="rcmon-history-") as name:
        directory = given.directory or Path(name)
        path, now = directory / "state" / "demo" / "rcmon.sqlite", int(time.time())
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            begin, busy = time.perf_counter(), time.process_time()
            asyncio.run(make(Store(f"sqlite:///{path}", DEMO), given, now))
            took, cpu = time.perf_counter() - begin, time.process_time() - busy
            print(f"made within {took:.0f} s, {cpu:.0f} s of CPU", flush=True)
        size = path.stat().st_size / 2**30
        print(f"{given.sites} sites x {given.agents} agents x {given.days} days: {size:.2f} GiB", flush=True)
        asyncio.run(swap_beside(Store(f"sqlite:///{path}", DEMO), given, now))
        with demo(directory, f"{given.sites}x{given.agents}", 2) as target:
            asyncio.run(ask_service(target, given, now))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Time one cycle: poll, merge, render and store. `python tests/load/cycle.py [SITESxAGENTS …]`.

First an agent of 150 sites and 20 000 jobs in SQLite, read like a real one; then generated grids. On a
machine that is busy otherwise look at the CPU time.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from rcmon.collector import clock
from rcmon.collector.changes import changes
from rcmon.collector.cycle import Cycle
from rcmon.collector.journal import entries
from rcmon.collector.process import look_rarely
from rcmon.demo.schema import create, ids
from rcmon.demo.synthetic import SyntheticSource, parse_shape, synthetic_sources
from rcmon.documents.deflated import inflate
from rcmon.model import AgentReport, Batch, SiteStatus, Upstream
from rcmon.render import render
from rcmon.sources.base import Source
from rcmon.sources.config import build_sources, load_sources
from rcmon.store import Store
from tests.store.using import save

ROUNDS = 5
SITES, JOBS, SUBSCRIPTIONS = 150, 20_000, 400
TASKS = ("Production", "Processing", "Merge", "Cleanup", "Harvesting", "LogCollect", "Skim")
STATES = ("executing", "executing", "executing", "executing", "created", "success", "cleanout", "jobfailed")


def make_agent(path: Path) -> None:
    """Make a database of an agent with 150 sites and 20 000 jobs, half of them in the batch system."""
    rng, now = Random(1), int(time.time())
    database = create(path)
    states, statuses = ids(database, "wmbs_job_state"), ids(database, "bl_status")
    tasks, normal = ids(database, "wmbs_sub_types"), ids(database, "wmbs_location_state")["Normal"]
    database.execute("PRAGMA foreign_keys=OFF")
    database.execute("BEGIN")
    fill(database, "wmbs_pnns", "id, pnn", [(n, f"T2_XX_S{n:03d}") for n in range(1, SITES + 1)])
    columns = "id, site_name, state, cms_name, ce_name, running_slots, pending_slots, plugin, state_time"
    names = [f"T2_XX_S{n:03d}" for n in range(1, SITES + 1)]
    rows = [
        (n, name, normal, name, name, 1000, 200, "SimpleCondorPlugin", now) for n, name in enumerate(names, 1)
    ]
    fill(database, "wmbs_location", columns, rows)
    fill(database, "wmbs_location_pnns", "location, pnn", [(n, n) for n in range(1, SITES + 1)])
    limits = [(site, tasks[task], 50, 500) for site in range(1, SITES + 1) for task in TASKS]
    fill(database, "rc_threshold", "site_id, sub_type_id, pending_slots, max_slots", limits)
    for n in range(1, SUBSCRIPTIONS + 1):
        row = (n, "spec", f"request{n}", f"/request{n}/task", 1, 0, 1, rng.randrange(100_000))
        fill(
            database, "wmbs_workflow", "id, spec, name, task, owner, alt_fs_close, injected, priority", [row]
        )
        row = (n, n, n, "FileBased", tasks[TASKS[n % len(TASKS)]], now, 0)
        fill(
            database,
            "wmbs_subscription",
            "id, fileset, workflow, split_algo, subtype, last_update, finished",
            [row],
        )
        fill(database, "wmbs_jobgroup", "id, subscription, guid, last_update", [(n, n, f"guid{n}", now)])
    jobs = []
    for n in range(1, JOBS + 1):
        state = rng.choice(STATES)
        site = None if state == "created" else rng.randint(1, SITES)
        jobs.append((n, rng.randint(1, SUBSCRIPTIONS), f"job{n}", states[state], now, 0, site))
    fill(database, "wmbs_job", "id, jobgroup, name, state, state_time, retry_count, location", jobs)
    batch = [
        (
            job[0],
            job[0],
            f"{job[0]}.0",
            "1",
            statuses[rng.choice(("Idle", "Running", "New", "Held"))],
            0,
            now,
            1,
        )
        for job in jobs
        if job[3] == states["executing"]
    ]
    fill(
        database,
        "bl_runjob",
        "id, wmbs_id, grid_id, status, sched_status, retry_count, status_time, user_id",
        batch,
    )
    database.execute("COMMIT")
    database.close()


class Board:
    """What is known beside the agents' databases: each site's status and cores, each agent's report."""

    name, kind, timeout = "board", "synthetic", 60.0

    def __init__(self, sites: list[str], agents: list[str]) -> None:
        rng = Random(2)
        cores = {site: rng.choice((30, 200, 900, 3000, 9000)) for site in sites}
        self._sites = {
            site: SiteStatus("enabled", None, None, None, cpu, cpu // 2, None) for site, cpu in cores.items()
        }
        self._agents = agents

    async def poll(self, now: float) -> Batch:
        """Say it."""
        report = AgentReport(now, "production", None, "ok", drain=False)
        reports = dict.fromkeys(self._agents, report)
        return Batch(self.name, self.kind, now, 0.0, upstream=Upstream(self._sites, None, reports))

    async def close(self) -> None:
        """Do nothing: nothing is open."""


async def with_board(agents: "list[SyntheticSource]") -> list[Source]:
    """Add what is known beside the agents."""
    (agent,) = (await agents[0].poll(time.time())).agents
    return [*agents, Board(list(agent.sites), [source.name for source in agents])]


def fill(database, table, columns, rows):
    """Insert rows."""
    marks = ", ".join("?" * len(columns.split(",")))
    database.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)


async def measure(label: str, sources: list[Source], directory: Path) -> None:
    """Run some cycles and print the median of each part."""
    store = Store(f"sqlite:///{directory / 'store.sqlite'}")
    await store.migrate()
    cycle = Cycle(sources, 60.0, 3600.0)
    parts: dict[str, list[float]] = {"poll and merge": [], "render": [], "store": [], "all": [], "CPU": []}
    documents, saved = {}, None
    for _ in range(ROUNDS):
        marks, busy = [time.perf_counter()], time.process_time()
        snapshot, _ = await cycle.run(clock.read(), lambda _: None)
        marks.append(time.perf_counter())
        made = render(snapshot, documents)
        rows, journal = changes(saved, snapshot), entries(saved, snapshot)
        marks.append(time.perf_counter())
        await save(store, snapshot, made, rows, journal=journal)
        marks.append(time.perf_counter())
        parts["CPU"].append(time.process_time() - busy)
        documents, saved = {document.key: document for document in made}, snapshot
        for part, begin, end in zip(parts, (0, 1, 2, 0), (1, 2, 3, 3), strict=False):
            parts[part].append(marks[end] - marks[begin])
    failed = [source.error for source in snapshot.sources if not source.up]
    text = inflate(documents["metrics.text"])
    series = sum(not line.startswith(b"#") for line in text.splitlines())
    await cycle.close()
    await store.close()
    figures = ", ".join(f"{part} {statistics.median(times):.3f} s" for part, times in parts.items())
    print(f"{label}: {series} series: {figures}" + (f"; failed: {failed}" if failed else ""), flush=True)


def main() -> None:
    """Run."""
    look_rarely()  # as the collector does
    with tempfile.TemporaryDirectory(prefix="rcmon-cycle-") as name:
        directory = Path(name)
        make_agent(directory / "agent.sqlite")
        config = directory / "sources.toml"
        config.write_text(
            f'[[source]]\nname = "agent"\nkind = "wmagent"\nurl = "sqlite:///{directory / "agent.sqlite"}"\n'
        )
        label = f"SQLite agent of {SITES} sites and {JOBS} jobs"
        asyncio.run(measure(label, build_sources(load_sources(config)), directory))
        for shape in sys.argv[1:] or ["150x1", "150x10", "1000x10"]:
            sources = asyncio.run(with_board(synthetic_sources(parse_shape(shape), "load")))
            asyncio.run(measure(shape, sources, directory))


if __name__ == "__main__":
    main()

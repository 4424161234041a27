"""The demo agents' databases as they are when the demo starts: the same for the same seed and time."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rcmon.demo.agents import AGENTS, COMPONENTS, UPDATE_THRESHOLD, DemoAgent
from rcmon.demo.changes import USER, write
from rcmon.demo.files import write_atomically
from rcmon.demo.grid import dice, thresholds
from rcmon.demo.loading import load_world
from rcmon.demo.odd import BATCH, ODD_AGENTS, OddAgent, write_odd_agent
from rcmon.demo.odd import upstream as odd
from rcmon.demo.odd.databases import DEAD_FOR
from rcmon.demo.population import populate
from rcmon.demo.schema import create, ids
from rcmon.demo.sites import SITES
from rcmon.demo.sitestates import initial_states
from rcmon.demo.upstream import ads
from rcmon.demo.workload import Subscription, subscriptions
from rcmon.demo.world import World

PLUGIN = "SimpleCondorPlugin"
SINCE_AT_MOST = 20 * 86400
"""How long a site may have been in its state when the demo starts, seconds."""


def database(directory: Path, agent: DemoAgent | OddAgent) -> Path:
    """Locate an agent's database."""
    return directory / f"{agent.name}.sqlite"


def ads_file(directory: Path, agent: str) -> Path:
    """Locate the job ads of an agent's batch system."""
    return directory / f"{agent}.ads.json"


def write_ads(directory: Path, agent: str, content: bytes, now: float) -> None:
    """Write the job ads of an agent's batch system, as of `now`: by whatever clock the grid moves."""
    path = ads_file(directory, agent)
    write_atomically(path, content)
    os.utime(path, (now, now))


def build_databases(directory: Path, seed: str, now: int) -> None:
    """Make the agents' databases and job ads anew in `directory`, as of `now`, seconds since the epoch.

    Nobody else may have them open for writing. Raises OSError or sqlite3.Error where they cannot be made.
    """
    directory.mkdir(parents=True, exist_ok=True)
    states = initial_states(seed)
    for agent in AGENTS:
        with _new(database(directory, agent)) as connection:
            connection.execute("BEGIN")
            world = _write_agent(connection, agent, seed, now, states)
            connection.execute("COMMIT")
        write_ads(directory, agent.name, ads(world.jobs.values()), now)
    for still in ODD_AGENTS:
        with _new(database(directory, still)) as connection:
            write_odd_agent(connection, still, now)
    write_ads(directory, BATCH, odd.ads(), now)


@contextmanager
def _new(target: Path) -> Iterator[sqlite3.Connection]:
    """Make a database that takes its place once it is whole."""
    draft = target.with_suffix(".draft")
    _remove(draft)
    connection = create(draft)
    try:
        yield connection
    finally:
        connection.close()
    _remove(target)
    draft.replace(target)


def _remove(path: Path) -> None:
    """Remove a database with its log and index: these would be applied to a new file of that name."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _write_agent(
    connection: sqlite3.Connection, agent: DemoAgent, seed: str, now: int, states: Mapping[str, str]
) -> World:
    """Write everything that one agent has."""
    connection.executemany(
        "INSERT INTO wma_init VALUES (?, ?)", [("hostname", agent.hostname), ("wma_version", agent.version)]
    )
    connection.execute(
        "INSERT INTO wmbs_users (id, cert_dn, name_hn, owner, grp, group_name, role_name) VALUES"
        " (?, '/DC=org/DC=rcmon/OU=Demo/CN=cmst1', 'cmst1', 'cmst1', 'production', '', '')",
        (USER,),
    )
    _write_components(connection, agent, seed, now)
    _write_sites(connection, agent, seed, now, states)
    _write_thresholds(connection, agent)
    _write_work(connection, agent, seed, now)
    world = load_world(connection, agent, len(AGENTS), seed)
    populate(world, now)
    write(connection, world.changes, ids(connection, "wmbs_job_state"), ids(connection, "bl_status"))
    return world


def _write_components(connection: sqlite3.Connection, agent: DemoAgent, seed: str, now: int) -> None:
    """Write components and workers; all are well but the one that the agent names."""
    rng = dice(seed, agent.name, "components")
    for row, (component, workers) in enumerate(COMPONENTS.items(), start=1):
        pid = rng.randrange(20000, 90000)
        connection.execute(
            "INSERT INTO wm_components VALUES (?, ?, ?, ?)", (row, component, pid, UPDATE_THRESHOLD)
        )
        for worker, interval in workers:
            beat = now - DEAD_FOR if worker == agent.dead_worker else now - int(rng.random() * interval)
            connection.execute(
                "INSERT INTO wm_workers (component_id, name, last_updated, state, pid, poll_interval,"
                " cycle_time) VALUES (?, ?, ?, 'Running', ?, ?, ?)",
                (row, worker, beat, pid, interval, round(rng.uniform(0.5, 40), 3)),
            )


def _write_sites(
    connection: sqlite3.Connection, agent: DemoAgent, seed: str, now: int, states: Mapping[str, str]
) -> None:
    """Write sites, their storage and which site reads which."""
    rng = dice(seed, agent.name, "sites")
    state_ids = ids(connection, "wmbs_location_state")
    pnns = {pnn: row for row, pnn in enumerate(sorted({pnn for site in SITES for pnn in site.pnns}), start=1)}
    connection.executemany("INSERT INTO wmbs_pnns (pnn, id) VALUES (?, ?)", pnns.items())
    for row, site in enumerate(SITES, start=1):
        slots = thresholds(site.cpu, site.io, len(AGENTS)).site
        state = "Down" if site.name == agent.alone_down else states.get(site.name, "Normal")
        connection.execute(
            "INSERT INTO wmbs_location VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row,
                site.name,
                state_ids[state],
                None if site.name == agent.no_cms_name else site.name,
                site.name,
                None if site.name == agent.no_slots else slots.running,
                None if site.name == agent.no_slots else slots.pending,
                None if site.name == agent.no_plugin else PLUGIN,
                now - int(SINCE_AT_MOST * rng.random() ** 3),
            ),
        )
        connection.executemany(
            "INSERT INTO wmbs_location_pnns VALUES (?, ?)", [(row, pnns[pnn]) for pnn in site.pnns]
        )


def _write_thresholds(connection: sqlite3.Connection, agent: DemoAgent) -> None:
    """Write the thresholds of each site and task type, with the agent's oddities."""
    tasks = ids(connection, "wmbs_sub_types")
    rows = ids(connection, "wmbs_location")
    for site in SITES:
        if site.name == agent.no_thresholds:
            continue
        limits = thresholds(site.cpu, site.io, len(AGENTS)).tasks
        connection.executemany(
            "INSERT INTO rc_threshold (site_id, sub_type_id, pending_slots, max_slots) VALUES (?, ?, ?, ?)",
            [(rows[site.name], tasks[task], slots.pending, slots.running) for task, slots in limits.items()],
        )
        if site.name == agent.twice:
            connection.execute(
                "INSERT INTO rc_threshold VALUES (?, ?, ?, ?)",
                (rows[site.name], tasks["Merge"], limits["Merge"].pending // 2, limits["Merge"].running),
            )


def _write_work(connection: sqlite3.Connection, agent: DemoAgent, seed: str, now: int) -> None:
    """Write workflows, subscriptions, job groups, filesets, files and site lists."""
    tasks, sites, pnns = (ids(connection, name) for name in ("wmbs_sub_types", "wmbs_location", "wmbs_pnns"))
    rng = dice(seed, agent.name, "work")
    for row, work in enumerate(subscriptions(rng), start=1):
        guid = f"{rng.getrandbits(32):08x}-{rng.getrandbits(16):04x}-{rng.getrandbits(48):012x}"
        connection.execute(
            "INSERT INTO wmbs_workflow VALUES (?, ?, ?, ?, 'production', ?, 1, 1, ?)",
            (
                row,
                f"/data/srv/wmagent/{work.request}/WMWorkload.pkl",
                work.request,
                work.task,
                USER,
                work.priority,
            ),
        )
        connection.execute("INSERT INTO wmbs_fileset VALUES (?, ?, 1, ?)", (row, work.task, now))
        connection.execute(
            "INSERT INTO wmbs_subscription VALUES (?, ?, ?, 'EventAwareLumiBased', ?, ?, 0)",
            (row, row, row, tasks[work.kind], now),
        )
        connection.execute(
            "INSERT INTO wmbs_jobgroup VALUES (?, ?, ?, ?, ?, NULL)", (row, row, guid, row, now)
        )
        connection.executemany(
            "INSERT INTO wmbs_subscription_validation VALUES (?, ?, ?)",
            [(row, sites[site], int(valid)) for site, valid in work.valid.items()],
        )
        _write_files(connection, row, work, pnns, now)


def _write_files(
    connection: sqlite3.Connection, fileset: int, work: Subscription, pnns: dict[str, int], now: int
) -> None:
    """Write a subscription's input files and where they lie."""
    for number, holders in enumerate(work.files):
        file = connection.execute(
            "INSERT INTO wmbs_file_details (lfn, filesize, events) VALUES (?, ?, ?) RETURNING id",
            (f"/store/data{work.task}/{number}.root", 2 * 10**9, 10**5),
        ).fetchone()[0]
        connection.execute("INSERT INTO wmbs_fileset_files VALUES (?, ?, ?)", (file, fileset, now))
        connection.executemany(
            "INSERT INTO wmbs_file_location VALUES (?, ?)", [(file, pnns[pnn]) for pnn in holders]
        )

"""The testbed's databases as they are made, for good: sites, limits and the jobs that fill them."""

import sqlite3
from collections.abc import Iterable

from rcmon.demo.odd.agents import COMPONENTS, ODD, SUBMITS_NOTHING, UNSTEADY, OddAgent
from rcmon.demo.odd.beating import write_beats
from rcmon.demo.odd.rows import ODDITIES
from rcmon.demo.odd.sites import LIMITS, ODD_SITES, PLAIN, UNSTEADY_SITES, OddSite
from rcmon.demo.schema import ids

VERSION = "2.4.5"
DEAD_FOR = 9 * 3600
"""Seconds since a dead worker's last heartbeat."""
USER = 1
PRIORITY = 110_000
CREATED = 12
"""Jobs that wait for the plain site, or the first."""
UNSUBMITTED = 100_001
"""Jobs of the agent that submits nothing: more than an agent can have and be well."""


def write_odd_agent(connection: sqlite3.Connection, agent: OddAgent, now: int) -> None:
    """Fill an agent's new database in a transaction of its own.

    Foreign keys are left off: an odd database points nowhere here and there. Raises sqlite3.Error.
    """
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute("BEGIN")
    sites = {ODD: ODD_SITES, UNSTEADY: UNSTEADY_SITES}.get(agent, (PLAIN,))
    _write_about(connection, agent, now)
    _write_sites(connection, sites, now)
    write_beats(connection, agent, now)
    _write_work(connection, now)
    for site in sites:
        _write_jobs(connection, site, now)
    if agent is SUBMITS_NOTHING:
        _write_unsubmitted(connection, now)
    if agent is ODD:
        for statements in ODDITIES.values():
            for statement in statements:
                connection.execute(statement)
    connection.execute("COMMIT")


def _write_about(connection: sqlite3.Connection, agent: OddAgent, now: int) -> None:
    """Write the agent's name, its components and their workers."""
    connection.executemany(
        "INSERT INTO wma_init VALUES (?, ?)", [("hostname", agent.hostname), ("wma_version", VERSION)]
    )
    connection.execute(
        "INSERT INTO wmbs_users (id, cert_dn, name_hn)"
        " VALUES (?, '/DC=org/DC=rcmon/OU=Demo/CN=cmst1', 'cmst1')",
        (USER,),
    )
    for row, (component, workers) in enumerate(COMPONENTS.items(), start=1):
        connection.execute("INSERT INTO wm_components VALUES (?, ?, ?, 7200)", (row, component, 3000 + row))
        connection.executemany(
            "INSERT INTO wm_workers (component_id, name, last_updated, state, pid, poll_interval, cycle_time)"
            " VALUES (?, ?, ?, 'Running', ?, 120, 1.5)",
            [(row, worker, now - DEAD_FOR, 3000 + row) for worker in workers],
        )


def _write_sites(connection: sqlite3.Connection, sites: Iterable[OddSite], now: int) -> None:
    """Write sites, each with storage of its own name, and their thresholds."""
    states, tasks = ids(connection, "wmbs_location_state"), ids(connection, "wmbs_sub_types")
    for row, site in enumerate(sites, start=1):
        since = now - 86400 * site.days
        connection.execute(
            "INSERT INTO wmbs_location VALUES (?, ?, ?, ?, ?, ?, ?, 'SimpleCondorPlugin', ?)",
            (
                *(row, site.name, states[site.state], site.name, site.name),
                *(site.slots.running, site.slots.pending, since),
            ),
        )
        connection.execute("INSERT INTO wmbs_pnns (id, pnn) VALUES (?, ?)", (row, site.name))
        connection.execute("INSERT INTO wmbs_location_pnns VALUES (?, ?)", (row, row))
        limits = LIMITS.tasks | dict(site.tasks)
        connection.executemany(
            "INSERT INTO rc_threshold VALUES (?, ?, ?, ?)",
            [(row, tasks[task], slots.pending, slots.running) for task, slots in limits.items()],
        )


def _write_work(connection: sqlite3.Connection, now: int) -> None:
    """Write one workflow for each task type, all rows by the task type's number, and jobs that wait."""
    tasks, sites = ids(connection, "wmbs_sub_types"), ids(connection, "wmbs_location")
    for task, row in tasks.items():
        name = f"testbed_{task}"
        connection.execute(
            "INSERT INTO wmbs_workflow VALUES (?, '/data/spec.pkl', ?, ?, 'production', ?, 1, 1, ?)",
            (row, name, f"/{name}/{task}", USER, PRIORITY),
        )
        connection.execute("INSERT INTO wmbs_fileset VALUES (?, ?, 1, ?)", (row, name, now))
        connection.execute(
            "INSERT INTO wmbs_subscription VALUES (?, ?, ?, 'EventBased', ?, ?, 0)", (row, row, row, row, now)
        )
        connection.execute(
            "INSERT INTO wmbs_jobgroup VALUES (?, ?, ?, ?, ?, NULL)", (row, row, name, row, now)
        )
    connection.execute("INSERT INTO wmbs_file_details (id, lfn) VALUES (1, '/store/testbed/0.root')")
    home = sites.get(PLAIN.name, min(sites.values()))
    connection.execute("INSERT INTO wmbs_file_location VALUES (1, ?)", (home,))
    for _ in range(CREATED):
        job = _job(connection, "created", "Production", now)
        connection.execute("INSERT INTO wmbs_job_assoc VALUES (?, 1)", (job,))


def _write_jobs(connection: sqlite3.Connection, site: OddSite, now: int) -> None:
    """Write the jobs that wait and run at a site, with their batch rows."""
    for task, (pending, running) in site.jobs.items():
        for status in ("Idle",) * pending + ("Running",) * running:
            job = _job(connection, "executing", task, now, site.name)
            connection.execute(
                "INSERT INTO bl_runjob"
                " (wmbs_id, grid_id, status, sched_status, retry_count, status_time, user_id)"
                " SELECT ?, ?, '1', id, 0, ?, ? FROM bl_status WHERE name = ?",
                (job, f"900.{job}", now, USER, status),
            )


def _write_unsubmitted(connection: sqlite3.Connection, now: int) -> None:
    """Write the jobs that are created and stay so, at the plain site."""
    _job(connection, "created", "Production", now, PLAIN.name)
    connection.execute(
        "INSERT INTO wmbs_job (jobgroup, state, state_time, location)"
        " WITH RECURSIVE number (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM number WHERE n < ?)"
        " SELECT jobgroup, state, state_time, location FROM number, wmbs_job"
        " WHERE id = (SELECT MAX(id) FROM wmbs_job)",
        (UNSUBMITTED,),
    )


def _job(connection: sqlite3.Connection, state: str, task: str, now: int, site: str | None = None) -> int:
    row = connection.execute(
        "INSERT INTO wmbs_job (jobgroup, state, state_time, location) VALUES ("
        " (SELECT id FROM wmbs_sub_types WHERE name = ?), (SELECT id FROM wmbs_job_state WHERE name = ?), ?,"
        " (SELECT id FROM wmbs_location WHERE site_name = ?)) RETURNING id",
        (task, state, now, site),
    ).fetchone()
    return int(row[0])

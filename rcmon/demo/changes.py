"""What the simulation changed since it last wrote, and how that is written."""

import sqlite3
from dataclasses import dataclass, field

from rcmon.demo.jobs import Job, Room
from rcmon.demo.lifecycle import PHASES

USER = 1
"""The `wmbs_users` row that owns every job."""
CLUSTER_SIZE = 100
"""Jobs that share a cluster number in HTCondor."""


@dataclass(slots=True)
class Changes:
    """Rows to write. Jobs are written as they are at the end of a step, however often they moved in it."""

    new: dict[int, Job] = field(default_factory=dict)
    moved: dict[int, Job] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    opened: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    """New batch rows: row, job, retry count, site, time."""
    closed: list[tuple[str, int, int]] = field(default_factory=list)
    """Batch rows that are done: batch status, time, row."""
    sites: list[tuple[str, int, int]] = field(default_factory=list)
    """Sites with a new state: state, time, row."""

    def move(self, job: Job) -> None:
        """Note that a job changed."""
        if job.row not in self.new:
            self.moved[job.row] = job

    def remove(self, job: Job) -> None:
        """Note that a job is gone."""
        self.moved.pop(job.row, None)
        self.gone.append(job.row)


def write(
    connection: sqlite3.Connection, changes: Changes, states: dict[str, int], statuses: dict[str, int]
) -> None:
    """Write everything inside the caller's transaction; `states` and `statuses` map names to ids."""
    now_active = [job for job in (*changes.new.values(), *changes.moved.values()) if job.run is not None]
    connection.executemany(
        "INSERT INTO wmbs_job (id, jobgroup, name, state, state_time, retry_count, location, cache_dir)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [_job_row(job, states) for job in changes.new.values()],
    )
    connection.executemany(
        "INSERT INTO wmbs_job_assoc (job, fileid) VALUES (?, ?)",
        [(job.row, job.input.file) for job in changes.new.values()],
    )
    connection.executemany(
        "INSERT INTO bl_runjob (id, wmbs_id, retry_count, location, status_time, grid_id, status,"
        " sched_status, user_id) VALUES (?, ?, ?, ?, ?, ?, '1', ?, ?)",
        [
            (row, job, retry, site, time, _grid_id(row), statuses["New"], USER)
            for row, job, retry, site, time in changes.opened
        ],
    )
    connection.executemany(
        "UPDATE wmbs_job SET state = ?, state_time = ?, retry_count = ?, location = ? WHERE id = ?",
        [
            (states[PHASES[job.phase].state], job.since, job.retry, _site(job.room), job.row)
            for job in changes.moved.values()
        ],
    )
    connection.executemany(
        "UPDATE bl_runjob SET sched_status = ?, status_time = ? WHERE id = ?",
        [(statuses[job.phase], job.since, job.run) for job in now_active],
    )
    connection.executemany(
        "UPDATE bl_runjob SET status = '0', sched_status = ?, status_time = ? WHERE id = ?",
        [(statuses[status], time, row) for status, time, row in changes.closed],
    )
    connection.executemany("DELETE FROM wmbs_job WHERE id = ?", [(row,) for row in changes.gone])
    connection.executemany(
        "UPDATE wmbs_location SET state_time = ?, state = (SELECT id FROM wmbs_location_state WHERE name = ?)"
        " WHERE id = ?",
        [(time, state, row) for state, time, row in changes.sites],
    )


def _job_row(job: Job, states: dict[str, int]) -> tuple[object, ...]:
    """Make the columns of a new job."""
    name = f"{job.input.name}-{job.row}"
    state = states[PHASES[job.phase].state]
    return (job.row, job.input.jobgroup, name, state, job.since, job.retry, _site(job.room), f"/cache/{name}")


def _site(room: Room | None) -> int | None:
    """Name the site's row."""
    return None if room is None else room.row


def _grid_id(row: int) -> str:
    """Make a batch row's number in HTCondor: cluster.process."""
    cluster, process = divmod(row, CLUSTER_SIZE)
    return f"{10000 + cluster}.{process}"

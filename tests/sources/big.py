"""An agent of extreme size in MariaDB, made by the server itself: what the reading time is measured on.

By default 1 000 000 jobs, of which 40 000 run and 50 000 wait in the batch system, at 150 sites, of
3 000 tasks with 60 priorities; 2.2 million links from jobs to input files. Run it by hand with the URL of
a private server: it makes the database `big` anew.
"""

import asyncio
import sys

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.sources.schema import METADATA

SITES, TASKS, GROUP, BLOCK = 150, 3_000, 25, 15
"""Jobs come in groups of 25; each group has a block of 15 files, which lie together at 1 to 3 storages."""
STATES = (
    ("new", 1),
    ("created", 9),
    ("executing", 9),
    ("complete", 1),
    ("success", 8),
    ("cleanout", 65),
    ("exhausted", 1),
    ("killed", 1),
    ("retrydone", 1),
    ("jobcooloff", 2),
    ("jobpaused", 1),
    ("submitfailed", 1),
)
"""Job states and their shares in percent."""
TYPES = (
    "Production",
    "Processing",
    "Merge",
    "Cleanup",
    "Harvesting",
    "LogCollect",
    "Skim",
    "Express",
    "Repack",
)
STATUSES = ("New", "Idle", "Running", "Held", "Removed", "Completed", "Timeout", "Unknown", "TransferOutput")


def fill(connection: Connection, jobs: int = 1_000_000) -> None:
    """Make the tables and fill them; takes about two minutes for a million jobs."""
    METADATA.drop_all(connection)
    METADATA.create_all(connection)
    for table, names in (("wmbs_sub_types", TYPES), ("bl_status", STATUSES)):
        connection.execute(
            text(f"INSERT INTO {table} (name) VALUES (:name)"), [{"name": name} for name in names]
        )
    for table in ("wmbs_location_state", "wmbs_job_state"):
        names = ("Normal", "Down", "Draining", "Aborted") if "location" in table else [s for s, _ in STATES]
        connection.execute(
            text(f"INSERT INTO {table} (name) VALUES (:name)"), [{"name": name} for name in names]
        )
    for statement in _statements(jobs):
        connection.execute(text(statement))
    connection.commit()
    connection.execute(text("ANALYZE TABLE " + ", ".join(table.name for table in METADATA.sorted_tables)))
    connection.commit()


def make(url: str, jobs: int = 1_000_000) -> str:
    """Make the database `big`; `url` is that of MariaDB's own database `mysql`, its password in it.

    Gives the URL of the new database.
    """
    made = url.removesuffix("/mysql") + "/big"

    async def run() -> None:
        engine = create_async_engine(url)
        async with engine.connect() as connection:
            await connection.execute(text("DROP DATABASE IF EXISTS big"))
            await connection.execute(text("CREATE DATABASE big"))
        await engine.dispose()
        engine = create_async_engine(made)
        async with engine.connect() as connection:
            await connection.run_sync(fill, jobs)
        await engine.dispose()

    asyncio.run(run())
    return made


def _statements(jobs: int) -> list[str]:
    groups = jobs // GROUP
    files = groups * BLOCK
    return [
        f"""INSERT INTO wmbs_location SELECT seq, CONCAT('T2_XX_Site', seq), 1 + (seq % 20 = 0),
            CONCAT('T2_XX_Site', seq), NULL, 2000, 1000, 'SimpleCondorPlugin', 1767200000
            FROM seq_1_to_{SITES}""",
        f"INSERT INTO wmbs_pnns SELECT seq, CONCAT('T2_XX_Site', seq, '_Disk') FROM seq_1_to_{SITES}",
        f"INSERT INTO wmbs_location_pnns SELECT seq, seq FROM seq_1_to_{SITES}",
        f"INSERT INTO wmbs_location_pnns SELECT seq, 1 + seq DIV 10 FROM seq_1_to_{SITES} WHERE seq % 10 > 1",
        f"""INSERT INTO rc_threshold SELECT site.seq, type.seq, 1000, 2000
            FROM seq_1_to_{SITES} site JOIN seq_1_to_{len(TYPES)} type""",
        f"""INSERT INTO wmbs_workflow SELECT seq, 'spec', CONCAT('request', seq DIV 8), CONCAT('/task', seq),
            NULL, 1, 0, 1, 1000 * ({_pick("seq DIV 8", 60)}) FROM seq_1_to_{TASKS}""",
        f"""INSERT INTO wmbs_subscription SELECT seq, seq, seq, 'EventBased',
            ELT(1 + seq % 8, 1, 1, 2, 2, 3, 3, 4, 6), 0, 0 FROM seq_1_to_{TASKS}""",
        f"""INSERT INTO wmbs_subscription_validation SELECT task.seq, site.seq, 1
            FROM seq_1_to_{TASKS} task JOIN seq_1_to_{SITES} site
            WHERE task.seq % 2 = 0 AND site.seq % 4 > 0""",
        f"""INSERT INTO wmbs_jobgroup SELECT seq, 1 + {_pick("seq", TASKS)}, UUID(), seq, 0, NULL
            FROM seq_1_to_{groups}""",
        f"""INSERT INTO wmbs_job SELECT seq, 1 + seq DIV {GROUP} % {groups}, UUID(), state,
            0, 0, UUID(), IF(state <= 2, NULL, 1 + FLOOR({SITES} * POW({_pick("seq", 1000)} / 1000, 2))), 0,
            CONCAT('/data/srv/wmagent/current/install/JobCreator/JobCache/request', seq DIV 400,
            '/Task/JobCollection_', seq DIV 100, '_0/job_', seq), NULL
            FROM (SELECT seq, {_state()} AS state FROM seq_1_to_{jobs}) made""",
        f"""INSERT INTO bl_runjob (wmbs_id, grid_id, status, sched_status, retry_count, status_time, location,
            user_id) SELECT id, CONCAT(id, '.0'), IF(state = 3, '1', '0'),
            IF(state = 3, ELT(1 + {_pick("id + 7", 9)}, 2, 2, 2, 2, 1, 3, 3, 3, 3), 6), 0, 0, location, 1
            FROM wmbs_job WHERE state > 2""",
        f"""INSERT INTO wmbs_file_location SELECT seq, site FROM seq_1_to_{files} JOIN
            (SELECT seq AS site FROM seq_1_to_{SITES}) sites WHERE site IN (
            1 + {_pick(f"seq DIV {BLOCK}", SITES)}, 1 + {_pick(f"seq DIV {BLOCK} % 97", SITES)},
            1 + {_pick(f"seq DIV {BLOCK} % 11", SITES)})""",
        # the simulation's one made-up input file, which is everywhere
        f"""INSERT INTO wmbs_file_location SELECT {files} + task.seq, site.seq FROM seq_1_to_{TASKS} task
            JOIN seq_1_to_{SITES} site WHERE task.seq % 8 < 2 AND site.seq % 2 = 0""",
        f"""INSERT INTO wmbs_job_assoc SELECT job.id, {files} + jobgroup.subscription FROM wmbs_job job
            JOIN wmbs_jobgroup jobgroup ON jobgroup.id = job.jobgroup WHERE jobgroup.subscription % 8 < 2""",
        f"""INSERT INTO wmbs_job_assoc
            SELECT job.id, 1 + (job.jobgroup - 1) * {BLOCK} + (job.id + file.seq) % {BLOCK} FROM wmbs_job job
            JOIN wmbs_jobgroup jobgroup ON jobgroup.id = job.jobgroup JOIN seq_1_to_10 file
            WHERE jobgroup.subscription % 8 >= 2 AND file.seq <= 1 + job.id % 7""",
    ]


def _pick(number: str, among: int) -> str:
    """Spread numbers evenly and reproducibly over 0 to `among` - 1."""
    return f"(CRC32(CONCAT('x', {number})) % {among})"


def _state() -> str:
    """Give each number a state's id according to the shares."""
    edges, total = [], 0
    for number, (_, share) in enumerate(STATES, 1):
        total += share
        edges.append(f"WHEN {_pick('seq', 100)} < {total} THEN {number}")
    return f"CASE {' '.join(edges)} END"


if __name__ == "__main__":
    make(sys.argv[1])

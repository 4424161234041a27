"""A small agent in SQLite with nothing odd about it: what tests of oddities spoil."""

import sqlite3
from pathlib import Path

from sqlalchemy import create_engine

from rcmon.model import JOB_STATES, Agent, Finding
from tests.sources.polling import agent_of, poll
from tests.sources.schema import METADATA

STATUSES = ("New", "Idle", "Running", "Held", "Completed")
CONTENT = """
    INSERT INTO wmbs_location_state VALUES (1, 'Normal'), (2, 'Down'), (3, 'Draining'), (4, 'Aborted');
    INSERT INTO wmbs_sub_types VALUES (1, 'Production', 0), (2, 'Merge', 4);
    INSERT INTO wmbs_location VALUES
        (1, 'T1_DE_KIT', 1, 'T1_DE_KIT', 'ce', 100, 50, 'SimpleCondorPlugin', 1767200000),
        (2, 'T2_CH_CERN', 3, 'T2_CH_CERN', 'ce', 200, 80, 'SimpleCondorPlugin', 1767100000);
    INSERT INTO rc_threshold VALUES (1, 1, 40, 90), (1, 2, 20, 30), (2, 1, 60, 180), (2, 2, 25, 35);
    INSERT INTO wmbs_pnns VALUES (1, 'T1_DE_KIT_Disk'), (2, 'T2_CH_CERN');
    INSERT INTO wmbs_location_pnns VALUES (1, 1), (2, 2);
    INSERT INTO wmbs_workflow VALUES
        (1, 'spec', 'alpha', '/alpha/Production', 'production', 1, 0, 1, 100),
        (2, 'spec', 'beta', '/beta/Merge', 'production', 1, 0, 1, 200);
    INSERT INTO wmbs_subscription VALUES (1, 1, 1, 'EventBased', 1, 0, 0), (2, 2, 2, 'FileBased', 2, 0, 0);
    INSERT INTO wmbs_jobgroup VALUES (1, 1, 'one', 1, 0, NULL), (2, 2, 'two', 2, 0, NULL);
    INSERT INTO wma_init VALUES ('hostname', 'vocms0999.cern.ch'), ('wma_version', '2.4.5');
    INSERT INTO wm_components VALUES (1, 'JobSubmitter', 4711, 7200);
    INSERT INTO wm_workers VALUES
        (1, 'JobSubmitterPoller', 1767268700, 'Running', 4712, 120, NULL, 12.5, NULL, NULL);
"""


class SmallAgent:
    """Two sites, two task types; at T1_DE_KIT one job pends and one runs, of task type Production."""

    def __init__(self, path: Path) -> None:
        self.path = path
        engine = create_engine(f"sqlite:///{path}")
        METADATA.create_all(engine)
        engine.dispose()
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(CONTENT)
        for table, names in (("wmbs_job_state", JOB_STATES), ("bl_status", STATUSES)):
            self._connection.executemany(
                f"INSERT INTO {table} (name) VALUES (?)", [(name,) for name in names]
            )
        self.job("executing", site=1, status="Idle")
        self.job("executing", site=1, status="Running")

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def run(self, sql: str, *values: object) -> int:
        """Run a statement; gives the number of the row that it inserted."""
        return self._connection.execute(sql, values).lastrowid or 0

    def rows(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """Run a query."""
        return self._connection.execute(sql, values).fetchall()

    def job(
        self,
        state: str,
        *,
        site: int | None = None,
        status: str | None = None,
        group: int = 1,
        files: tuple[int, ...] = (),
    ) -> int:
        """Add a job, with an active batch row where a batch status is given; gives its number."""
        job = self.run(
            "INSERT INTO wmbs_job (jobgroup, state, state_time, retry_count, location)"
            " SELECT ?, id, 0, 0, ? FROM wmbs_job_state WHERE name = ?",
            *(group, site, state),
        )
        if status is not None:
            self.batch(job, status)
        for file in files:
            self.run("INSERT INTO wmbs_job_assoc VALUES (?, ?)", job, file)
        return job

    def batch(self, job: int | None, status: str, *, mark: str | None = "1", retry: int | None = 0) -> int:
        """Add a batch row."""
        return self.run(
            "INSERT INTO bl_runjob (wmbs_id, status, sched_status, retry_count)"
            " SELECT ?, ?, id, ? FROM bl_status WHERE name = ?",
            *(job, mark, retry, status),
        )

    def poll(self) -> Agent:
        """Read it as the source does."""
        return agent_of(poll(self.url))

    def finding(self) -> Finding:
        """Read it and give the one finding."""
        (finding,) = self.poll().findings
        return finding

    def close(self) -> None:
        self._connection.close()

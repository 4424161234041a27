"""A large agent on MariaDB: the plans that keep reading it fast."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from rcmon.sources.database.mysql import MySQL
from rcmon.sources.wmagent.reading import load_queries
from tests.servers import Server
from tests.sources import big
from tests.sources.polling import agent_of, poll

JOBS = 10_000


@pytest.fixture(scope="module")
def url(mariadb: Server) -> str:
    return big.make(mariadb.url("mysql+asyncmy", "mysql").replace("@", f":{mariadb.password}@"), JOBS)


def explain(url: str, query: str) -> Sequence[Any]:
    async def run() -> Sequence[Any]:
        engine = create_async_engine(url)
        async with engine.connect() as connection:
            rows = (await connection.execute(text(f"EXPLAIN {query}"))).mappings().all()
        await engine.dispose()
        return rows

    return asyncio.run(run())


def test_it_is_read(url: str, mariadb: Server, password_file: Path) -> None:
    agent = agent_of(poll(mariadb.url("mysql", "big"), password_file))
    assert len(agent.sites) == big.SITES
    assert sum((agent.jobs_by_state or {}).values()) == JOBS
    jobs = sum(site.jobs.running + site.jobs.pending for site in agent.sites.values())
    assert jobs == (agent.jobs_by_state or {})["executing"] == sum((agent.batch_active or {}).values())


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("active_jobs", ["<derived2>", "job", "jobgroup", "subscription", "workflow"]),
        ("assigned_jobs", ["job", "jobgroup", "subscription", "workflow"]),
    ],
)
def test_each_row_leads_to_its_job_group_and_on_by_primary_keys(
    url: str, query: str, order: Sequence[str]
) -> None:
    """Never from the subscriptions down, which takes MariaDB minutes at a million jobs."""
    plan = [
        row for row in explain(url, load_queries(MySQL().set_of)[query]) if row["table"] != "wmbs_job_state"
    ]
    outer = [row for row in plan if row["select_type"] == "PRIMARY"]
    assert [row["table"] for row in outer] == order
    assert {row["type"] for row in outer[1:]} == {"eq_ref"}
    assert {row["key"] for row in outer[1:]} == {"PRIMARY"}


def test_unassigned_jobs_lead_to_their_files_by_primary_keys(url: str) -> None:
    plan = {row["table"]: row for row in explain(url, load_queries(MySQL().set_of)["unassigned_jobs"])}
    for table in ("input", "copy", "jobgroup", "subscription", "workflow"):
        assert plan[table]["key"] == "PRIMARY", table

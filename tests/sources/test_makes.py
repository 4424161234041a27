"""Whatever database holds an agent, the same agent is read."""

import asyncio
from pathlib import Path

from tests.servers import Server
from tests.sources.polling import agent_of, poll
from tests.sources.sample import load


def test_mariadb_gives_the_same(sample: Path, mariadb: Server, password_file: Path) -> None:
    asyncio.run(load(sample, mariadb, "mysql+asyncmy", "sample"))
    agent = agent_of(poll(mariadb.url("mysql", "sample"), password_file))
    assert agent == agent_of(poll(f"sqlite:///{sample}"))
    assert agent == agent_of(poll(mariadb.url("mariadb", "sample"), password_file))


def test_postgresql_gives_the_same(sample: Path, postgresql: Server, password_file: Path) -> None:
    asyncio.run(load(sample, postgresql, "postgresql+asyncpg", "sample"))
    agent = agent_of(poll(postgresql.url("postgresql", "sample"), password_file))
    assert agent == agent_of(poll(f"sqlite:///{sample}"))

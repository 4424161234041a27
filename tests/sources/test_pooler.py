"""PgBouncer in transaction mode before an agent's PostgreSQL: any session may be given to any transaction."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from rcmon.errors import SourceError
from rcmon.sources.base import Poll, poll_one
from rcmon.sources.database import Database
from rcmon.sources.wmagent import WMAgentConfig, WMAgentSource
from tests.servers import Server, pgbouncer
from tests.sources.polling import NOW, agent_of, poll
from tests.sources.sample import load

POLLS = 6
SESSIONS = 2
NAMES = """
DO $$ BEGIN
    FOR number IN 1..3000 LOOP
        BEGIN
            EXECUTE format('PREPARE __asyncpg_stmt_%s__ AS SELECT 1 AS of_another', to_hex(number));
        EXCEPTION WHEN duplicate_prepared_statement THEN
            NULL;
        END;
    END LOOP;
END $$
"""
"""Take the names that asyncpg would give to statements."""


@pytest.fixture(scope="module")
def pooler(postgresql: Server, sample: Path) -> Iterator[Server]:
    asyncio.run(load(sample, postgresql, "postgresql+asyncpg", "pooled"))
    with pgbouncer(postgresql, f"default_pool_size = {SESSIONS}") as server:
        yield server


async def client(pooler: Server) -> asyncpg.Connection:
    """Connect as somebody else does."""
    return await asyncpg.connect(
        host="127.0.0.1",
        port=pooler.port,
        user=pooler.user,
        password=pooler.password,
        database="pooled",
        statement_cache_size=0,
    )


async def take_names(pooler: Server) -> None:
    """Have others leave their statements in both sessions, under the names that asyncpg gives."""
    clients = [await client(pooler) for _ in range(SESSIONS)]
    for each in clients:
        await each.execute("BEGIN")
    for each in clients:
        await each.execute(NAMES)
        assert await each.fetchval("SELECT COUNT(*) FROM pg_prepared_statements") >= 3000
    for each in clients:
        await each.execute("COMMIT")
        await each.close()


def test_an_agent_is_read_as_without_it(pooler: Server, postgresql: Server, password_file: Path) -> None:
    direct = agent_of(poll(postgresql.url("postgresql", "pooled"), password_file))
    assert agent_of(poll(pooler.url("postgresql", "pooled"), password_file)) == direct


def test_sessions_that_others_have_used_do_not_matter(
    pooler: Server, sample: Path, password_file: Path
) -> None:
    """Several sources at once, more than there are sessions, again and again."""
    url = pooler.url("postgresql", "pooled")
    config = WMAgentConfig(name="vocms0999", url=url, password_file=password_file)

    async def run() -> list[Poll]:
        await take_names(pooler)
        found = []
        for _ in range(2):
            sources = [WMAgentSource(config) for _ in range(POLLS)]
            found += await asyncio.gather(*(poll_one(source, NOW) for source in sources))
        return found

    expected = agent_of(poll(f"sqlite:///{sample}"))
    assert [agent_of(result) == expected for result in asyncio.run(run())] == [True] * 2 * POLLS


def test_nothing_is_left_in_a_session(pooler: Server, password_file: Path) -> None:
    """Whoever has the session next may write, has no limit, and finds no statement of ours."""
    agent_of(poll(pooler.url("postgresql", "pooled"), password_file))

    async def run() -> list[object]:
        other = await client(pooler)
        async with other.transaction():
            found = [
                await other.fetchval("SHOW statement_timeout"),
                await other.fetchval("SHOW transaction_read_only"),
                await other.fetchval("SHOW transaction_isolation"),
                await other.fetchval(
                    "SELECT COUNT(*) FROM pg_prepared_statements WHERE statement LIKE '%wmbs%'"
                ),
            ]
        await other.close()
        return found

    assert asyncio.run(run()) == ["0", "off", "read committed", 0]


def test_a_slow_statement_is_stopped_and_nothing_can_be_written(pooler: Server, password_file: Path) -> None:
    url = pooler.url("postgresql", "pooled")

    async def run(sql: str, seconds: float = 30) -> None:
        async with Database(url, password_file).reading(seconds) as reader:
            await reader.rows("something", sql)

    with pytest.raises(SourceError, match="reading something was stopped because time was up"):
        asyncio.run(run("SELECT PG_SLEEP(3600)", 4))
    with pytest.raises(SourceError, match="read-only transaction"):
        asyncio.run(run("DELETE FROM rc_threshold"))
    agent_of(poll(url, password_file))

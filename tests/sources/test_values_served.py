"""Values that cannot be true in columns of other types than WMCore's, on servers: unknown and found too."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from rcmon.errors import SourceError
from rcmon.sources.database import Database
from tests.servers import Server
from tests.sources.loose import workers
from tests.sources.polling import agent_of, poll
from tests.sources.sample import load

MARIADB = (
    "ALTER TABLE wmbs_location MODIFY running_slots BIGINT UNSIGNED, MODIFY pending_slots VARCHAR(40)",
    "UPDATE wmbs_location SET running_slots = 18446744073709551615, pending_slots = 'n/a' WHERE id = 1",
    "ALTER TABLE wm_workers MODIFY error_message VARBINARY(1000), MODIFY cycle_time DECIMAL(40, 2)",
    "ALTER TABLE wm_workers MODIFY outcome VARCHAR(1000) CHARACTER SET latin1",
    "UPDATE wm_workers SET error_message = X'46FC72', outcome = X'46FC72', cycle_time = 1e30",
)
POSTGRESQL = (
    "ALTER TABLE wmbs_location ALTER running_slots TYPE numeric, ALTER pending_slots TYPE text",
    "UPDATE wmbs_location SET running_slots = 18446744073709551615, pending_slots = 'n/a' WHERE id = 1",
    "ALTER TABLE wm_workers ALTER error_message TYPE bytea USING '\\x46fc72'::bytea",
    "ALTER TABLE wm_workers ALTER cycle_time TYPE double precision USING 'Infinity'::double precision",
    "UPDATE wm_workers SET outcome = 'Für'",
)


MAKES = {
    "mariadb": ("mysql", "mysql+asyncmy", MARIADB),
    "postgresql": ("postgresql", "postgresql+asyncpg", POSTGRESQL),
}


async def change(server: Server, dialect: str, changes: tuple[str, ...], database: str = "odd") -> None:
    url = server.url(dialect, database).replace("@", f":{server.password}@")
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in changes:
            await connection.exec_driver_sql(statement)
    await engine.dispose()


def test_octets_that_a_server_does_not_give_are_told(postgresql: Server, password_file: Path) -> None:
    """A database without an encoding checks none."""

    async def run() -> None:
        url = postgresql.url("postgresql", "octets")
        async with Database(url, password_file).reading(30) as reader:
            await reader.rows("workers", "SELECT text FROM octets")

    alone = (
        "DROP DATABASE IF EXISTS octets",
        "CREATE DATABASE octets TEMPLATE template0 ENCODING 'SQL_ASCII'",
    )
    asyncio.run(change(postgresql, "postgresql+asyncpg", alone, "postgres"))
    rows = ("CREATE TABLE octets (text TEXT)", r"INSERT INTO octets VALUES (E'F\xfcr')")
    asyncio.run(change(postgresql, "postgresql+asyncpg", rows, "octets"))
    with pytest.raises(SourceError, match="cannot read workers: invalid byte sequence"):
        asyncio.run(run())


@pytest.mark.parametrize("make", MAKES)
def test_values_of_other_types(
    make: str, sample: Path, password_file: Path, request: pytest.FixtureRequest
) -> None:
    server: Server = request.getfixturevalue(make)
    scheme, dialect, changes = MAKES[make]
    sound = agent_of(poll(f"sqlite:///{sample}"))
    asyncio.run(load(sample, server, dialect, "odd"))
    asyncio.run(change(server, dialect, changes))
    agent = agent_of(poll(server.url(scheme, "odd"), password_file))
    (odd,) = [each.site for each in agent.findings if "running_slots is 18446744073709551615" in each.message]
    assert odd is not None
    assert (agent.sites[odd].running_slots, agent.sites[odd].pending_slots) == (None, None)
    assert {each.name: each.jobs for each in agent.sites.values()} == {
        each.name: each.jobs for each in sound.sites.values()
    }
    found = workers(agent).values()
    assert {(each.error_message, each.outcome, each.cycle_time) for each in found} == {
        ("F\N{REPLACEMENT CHARACTER}r", "Für", None)
    }
    kinds = [each.kind for each in agent.findings]
    assert (kinds.count("slots_implausible"), kinds.count("span_implausible")) == (2, len(found))
    assert kinds.count("text_unreadable") == len(found)

"""The sample agent (tests/data/agent-t0), put into whatever database."""

import json
import lzma
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.servers import Server
from tests.sources.schema import METADATA

FOLDER = Path(__file__).parents[1] / "data" / "agent-t0"


def unpack(path: Path) -> Path:
    """Write the sample as an SQLite file."""
    path.write_bytes(lzma.decompress((FOLDER / "agent.sqlite.xz").read_bytes()))
    return path


def answer(name: str) -> Any:
    """Read what WMCore's own code answered for the sample."""
    return json.loads((FOLDER / f"{name}.json").read_text())


async def load(sample: Path, server: Server, dialect: str, database: str) -> None:
    """Make a database on a server, in the agents' schema, and put the sample into it."""
    url = server.url(dialect, "mysql" if "mysql" in dialect else "postgres")
    url = url.replace("@", f":{server.password}@")
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        # a test of the same server may have been here before
        await connection.execute(text(f"DROP DATABASE IF EXISTS {database}"))
        await connection.execute(text(f"CREATE DATABASE {database}"))
    await engine.dispose()
    engine = create_async_engine(url.rpartition("/")[0] + f"/{database}")
    with sqlite3.connect(sample) as source:
        source.row_factory = sqlite3.Row
        async with engine.begin() as connection:
            await connection.run_sync(METADATA.create_all)
            for table in METADATA.sorted_tables:
                rows = [dict(row) for row in source.execute(f"SELECT * FROM {table.name}")]
                await connection.execute(table.insert(), rows)
    source.close()
    await engine.dispose()

"""Agents' databases on a real MariaDB, in WMCore's own schema, for the unmodified updater to use."""

import asyncio
import json
import socket
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from rcmon.model import CPU_TASKS, IO_TASKS
from tests.peer.asking import ask
from tests.servers import Server
from tests.sources.schema import METADATA

SITES = 140
"""Of the made main agent."""


PUT_SITE = """
INSERT INTO wmbs_location
    (site_name, state, cms_name, ce_name, running_slots, pending_slots, plugin, state_time)
SELECT '{site}', id, '{site}', '{site}', 60, 55, 'SimpleCondorPlugin', 1
FROM wmbs_location_state WHERE name = 'Normal'
"""
PUT_THRESHOLDS = """
INSERT INTO rc_threshold (site_id, sub_type_id, pending_slots, max_slots)
SELECT site.id, kind.id, 51, 60 FROM wmbs_location site, wmbs_sub_types kind WHERE kind.name IN ({kinds})
"""
GET_SITES = """
SELECT site_name, state.name, running_slots, pending_slots
FROM wmbs_location site JOIN wmbs_location_state state ON state.id = site.state
"""


class Databases:
    """Agents' databases on one server."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def _url(self, database: str) -> str:
        return self.server.url("mysql+asyncmy", database).replace("@", f":{self.server.password}@")

    def run(self, database: str, statements: Sequence[str]) -> list[list[Any]]:
        """Run statements, foreign keys not being looked at; gives the last one's rows."""

        async def inner() -> list[list[Any]]:
            engine = create_async_engine(self._url(database), poolclass=NullPool)
            async with engine.begin() as connection:
                await connection.execute(text("SET FOREIGN_KEY_CHECKS = 0, sql_mode = '', sql_notes = 0"))
                rows: list[list[Any]] = []
                for statement in statements:
                    found = await connection.exec_driver_sql(statement)
                    rows = [list(row) for row in found] if found.returns_rows else []
            await engine.dispose()
            return rows

        return asyncio.run(inner())

    def make(self, name: str, schema: Sequence[str]) -> None:
        """Make a database in WMCore's schema."""
        self.run("mysql", [f"CREATE DATABASE {name}"])
        self.run(name, schema)

    def put(self, name: str, sample: Path) -> None:
        """Put the held agent into a database, in place of what WMCore begins with."""
        with sqlite3.connect(sample) as source:
            source.row_factory = sqlite3.Row
            tables = {
                table.name: [dict(row) for row in source.execute(f"SELECT * FROM {table.name}")]
                for table in METADATA.sorted_tables
            }
        source.close()

        async def inner() -> None:
            engine = create_async_engine(self._url(name), poolclass=NullPool)
            async with engine.begin() as connection:
                await connection.execute(text("SET FOREIGN_KEY_CHECKS = 0, sql_mode = ''"))
                for table, rows in tables.items():
                    await connection.execute(text(f"DELETE FROM {table}"))
                    if rows:
                        await connection.execute(METADATA.tables[table].insert(), rows)
            await engine.dispose()

        asyncio.run(inner())

    def put_main(self, name: str, sites: Sequence[str]) -> None:
        """Make a main agent of these sites, all Normal with few slots."""
        kinds = ", ".join(repr(kind) for kind in (*CPU_TASKS, *IO_TASKS))
        statements = ["INSERT INTO wma_init (init_param, init_value) VALUES ('wma_version', '2.4.5.9')"]
        statements += [PUT_SITE.format(site=site) for site in sites]
        self.run(name, [*statements, PUT_THRESHOLDS.format(kinds=kinds)])

    def sites(self, name: str) -> dict[str, tuple[str, int, int]]:
        """Read state, running and pending slots of all sites."""
        rows = self.run(name, [GET_SITES])
        return {site: (state, running, pending) for site, state, running, pending in rows}

    @contextmanager
    def relay(self) -> Iterator[tuple[str, int]]:
        """Execute what the peer's program says, for as many connections as it opens."""
        loop, over = asyncio.new_event_loop(), asyncio.Event()
        engines: dict[str, AsyncEngine] = {}
        listener = socket.create_server(("127.0.0.1", 0))

        async def serve() -> None:
            server = await asyncio.start_server(
                lambda reader, writer: self._connection(engines, reader, writer), sock=listener, limit=1 << 24
            )
            await over.wait()
            server.close()
            await settled()
            for engine in engines.values():
                await engine.dispose()

        thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
        thread.start()
        try:
            yield listener.getsockname()[:2]
        finally:
            loop.call_soon_threadsafe(over.set)
            thread.join()
            loop.close()

    async def _connection(
        self, engines: dict[str, AsyncEngine], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        database = json.loads(await reader.readline())["database"]
        if database not in engines:
            engines[database] = create_async_engine(self._url(database))
        with suppress(OSError):
            async with engines[database].connect() as connection:
                await self._answer(writer, {})
                while line := await reader.readline():
                    await self._answer(writer, await told(connection, json.loads(line)))
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, what: dict[str, Any]) -> None:
        writer.write(json.dumps(what, default=number).encode() + b"\n")
        await writer.drain()


async def settled() -> None:
    """Wait for what closes."""
    if left := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(left, timeout=300)


def number(value: object) -> int:
    assert isinstance(value, Decimal)
    return int(value)


async def told(connection: AsyncConnection, said: dict[str, Any]) -> dict[str, Any]:
    """Do what WMCore would have its driver do."""
    try:
        if said.get("do") == "begin":
            return {}
        if said.get("do") == "commit":
            await connection.commit()
            return {}
        if said.get("do") == "rollback":
            await connection.rollback()
            return {}
        names, rows = None, list[list[Any]]()
        for binds in said["binds"] or [None]:
            found = await connection.exec_driver_sql(
                said["statement"], tuple(binds) if binds is not None else None
            )
            if found.returns_rows:
                names = list(found.keys())
                rows += [list(row) for row in found]
    except Exception as error:  # noqa: BLE001 - the driver's errors are the peer's
        return {"error": str(error)}
    return {"names": names, "rows": rows}


def schema() -> list[str]:
    """Give WMCore's own schema."""
    found: list[str] = ask("schema", None)
    return found


def rounds(asked: list[dict[str, Any]]) -> list[int]:
    """Let unmodified updaters do rounds; gives how many statements each needed."""
    found: list[int] = ask("database_updater", {"rounds": asked})
    return found

"""One agent's database: opened for a poll, read in one transaction, let go."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from rcmon.errors import ConfigError, SourceError
from rcmon.files.reading import FileError, read_password
from rcmon.sources.database.address import address
from rcmon.sources.database.cutting import quietly, run_or_cut
from rcmon.sources.database.driver import MISUNDERSTOOD, DatabaseLink, Raw
from rcmon.sources.database.reader import DatabaseReader, reason
from rcmon.sources.hiding import hiding

POOL_NAME = "rcmon_sources"
# a connection that was cut cannot be closed in good order: the pool would log that with a traceback each time
logging.getLogger(f"{NullPool.__module__}.{NullPool.__name__}.{POOL_NAME}").setLevel(logging.CRITICAL)


class Database:
    """A database that is only ever read, over at most one connection, which lasts no longer than a poll.

    So an agent is not burdened between polls, a connection that a firewall forgot is never met again, and
    a new password counts at once. `url` and `password_file` as in `rcmon.sources.base.SourceConfig`.
    Raises ConfigError for a URL that cannot be used, or whose driver is not installed.
    """

    def __init__(self, url: str, password_file: Path | None = None) -> None:
        where = address(url)
        self.driver, self.url, self._tls = where.driver, where.url, where.tls
        """The make of database, and where it is, without any secret."""
        self._password_file = password_file
        self._engine = self._make_engine()
        self._deadline = 0.0
        self._secrets: list[str] = []
        """What the newest connection was opened with."""
        self._link: DatabaseLink | None = None

    @asynccontextmanager
    async def reading(self, seconds: float) -> AsyncIterator[DatabaseReader]:
        """Open the one connection and transaction for the length of the block, which has so many seconds.

        Raises SourceError where the database cannot be reached or refuses; the password is in none, also
        of those that are raised in the block.
        """
        with hiding(self._secrets):
            async with self._open(seconds) as reader:
                yield reader

    @asynccontextmanager
    async def _open(self, seconds: float) -> AsyncIterator[DatabaseReader]:
        if self._link is not None:
            raise SourceError("an earlier poll still reads this database")
        self._deadline = time.monotonic() + seconds
        connection = self._engine.connect()
        try:
            await run_or_cut(self._start(connection), self._cut)
            reader = DatabaseReader(connection, self._opened(), self._deadline)
            await reader.begin()
            yield reader
            await run_or_cut(self._opened().end(), self._cut)
            await run_or_cut(connection.close(), self._cut)
            self._link = None
        except (SQLAlchemyError, OSError) as error:
            raise SourceError(f"cannot use {self._shown()}: {reason(error)}") from error
        finally:
            await self._discard(connection)

    async def close(self) -> None:
        """Cut the connection off where one is open."""
        await self._discard(None)

    def _make_engine(self) -> AsyncEngine:
        try:
            return create_async_engine(
                self.url,
                creator=self._adapt,
                poolclass=NullPool,
                pool_logging_name=POOL_NAME,
                **self.driver.engine,
            )
        except ImportError as error:
            missing = f"the driver for {self.driver.names[0]}:// is not installed ({error.name})"
            raise ConfigError(
                f"{missing}; install it: pip install '.[{self.driver.extra}]' in the clone"
            ) from error
        except ArgumentError as error:
            raise ConfigError(f"url cannot be used: {error}") from error

    def _adapt(self) -> Any:
        """Open a connection, wrapped for SQLAlchemy."""
        module = self._engine.dialect.loaded_dbapi
        return module.connect(async_creator_fn=self._connect, **self.driver.adapter)

    @staticmethod
    async def _start(connection: AsyncConnection) -> None:
        await connection.start()

    async def _cut(self) -> None:
        if self._link is not None:
            await self._link.discard()

    async def _connect(self) -> Raw:
        positional, parameters = self._engine.dialect.create_connect_args(self.url)
        if positional:
            parameters = {**parameters, "database": positional[0]}
        left, password = self._deadline - time.monotonic(), self._password()
        try:
            tls = self._tls.context() if self._tls else None
            self._link = await self.driver.connect(parameters, password, left, tls)
        except TypeError as error:
            raise SourceError(f"cannot use {self._shown()}: its parameters do not fit: {error}") from error
        except OSError:
            # a certificate that fails is a ValueError too
            raise
        except MISUNDERSTOOD as error:
            make = self.driver.names[0]
            raise SourceError(f"cannot use {self._shown()}: it does not answer as {make} does") from error
        return self._link.raw

    def _password(self) -> str | None:
        """Read the password, each time anew."""
        if self._password_file is None:
            return None
        try:
            self._secrets[:] = [password := read_password(self._password_file)]
        except FileError as error:
            raise SourceError(f"password_file {error}") from error
        return password

    def _opened(self) -> DatabaseLink:
        if self._link is None:
            raise SourceError("the connection was closed while it was opened")
        return self._link

    async def _discard(self, connection: AsyncConnection | None) -> None:
        """Let go of a connection that did not end in peace, without waiting for an answer from outside."""
        link, self._link = self._link, None
        if link is not None:
            await quietly(link.discard())
        if connection is not None and connection.sync_connection and not connection.closed:
            await quietly(connection.invalidate())
            await quietly(connection.close())

    def _shown(self) -> str:
        return self.url.set(drivername=self.driver.names[0]).render_as_string(hide_password=True)

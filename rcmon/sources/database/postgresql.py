"""PostgreSQL through asyncpg, directly or through PgBouncer in whatever mode.

A pooler gives each transaction whichever session is free. So nothing is asked of a session: the poll's one
transaction is begun before anything else is said, bears all settings, and no statement has a name, since
another's statement could bear the same.
"""

import importlib
from collections.abc import Mapping, Sequence
from ssl import SSLContext
from types import MappingProxyType
from typing import Any

from sqlalchemy import URL

from rcmon.errors import ConfigError
from rcmon.sources.database.driver import Parameters, Raw, milliseconds

BEGIN = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


class PostgreSQLLink:
    """A connection to PostgreSQL within the transaction of a poll, which sees one state of the database."""

    begin: Sequence[str] = ()
    """The transaction has begun already."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw

    def bounded(self, sql: str, limit: float) -> Sequence[str]:
        """Bound by statement_timeout."""
        return (f"SET LOCAL statement_timeout = {milliseconds(limit)}", sql)

    async def end(self) -> None:
        """End the transaction, so that a pooler need not give up the session."""
        await self.raw.execute("ROLLBACK")

    async def discard(self) -> None:
        """Cut the connection; where a statement was cancelled, asyncpg has asked the server to stop it."""
        self.raw.terminate()


class PostgreSQL:
    """PostgreSQL."""

    names = ("postgresql", "postgres")
    dialect = "postgresql+asyncpg"
    extra = "postgres"
    engine: Mapping[str, Any] = MappingProxyType({"isolation_level": "AUTOCOMMIT"})
    """SQLAlchemy begins nothing: the transaction is ours."""
    adapter: Mapping[str, Any] = MappingProxyType({"prepared_statement_cache_size": 0})
    """Statements have no name, so that each lasts until the next."""

    def check(self, url: URL) -> None:
        """Ask for a database; asyncpg knows the parameters."""
        if not url.database:
            raise ConfigError("url names no database; right is postgresql://USER@HOST/DATABASE")

    async def connect(
        self, parameters: Parameters, password: str | None, limit: float, tls: SSLContext | None
    ) -> PostgreSQLLink:
        """Open a connection and begin its one transaction, which can only read."""
        asyncpg = importlib.import_module("asyncpg")
        ours: dict[str, Any] = {} if password is None else {"password": password}
        if tls is not None:
            ours["ssl"] = tls
        settings = {"application_name": "rcmon"}
        raw = await asyncpg.connect(
            **{**parameters, **ours}, timeout=limit, statement_cache_size=0, server_settings=settings
        )
        try:
            await raw.execute(BEGIN)
        except BaseException:
            raw.terminate()
            raise
        return PostgreSQLLink(raw)

    def set_of(self, column: str) -> str:
        """Write the aggregate; distinct ones come sorted, so that equal sets are equal texts."""
        return f"STRING_AGG(DISTINCT CAST({column} AS VARCHAR), ',')"

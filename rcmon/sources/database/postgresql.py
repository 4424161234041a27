"""PostgreSQL through asyncpg."""

import importlib
from collections.abc import Sequence

from sqlalchemy import URL

from rcmon.errors import ConfigError
from rcmon.sources.database.driver import Parameters, Raw, milliseconds


class PostgreSQLLink:
    """A connection to PostgreSQL whose transaction sees one state of the database throughout."""

    begin: Sequence[str] = ("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",)
    """SQLAlchemy has begun the transaction before its first statement, which is this."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw

    def bounded(self, sql: str, limit: float) -> Sequence[str]:
        """Bound by statement_timeout."""
        return (f"SET LOCAL statement_timeout = {milliseconds(limit)}", sql)

    async def discard(self) -> None:
        """Cut the connection; where a statement was cancelled, asyncpg has asked the server to stop it."""
        self.raw.terminate()


class PostgreSQL:
    """PostgreSQL."""

    names = ("postgresql", "postgres")
    dialect = "postgresql+asyncpg"
    extra = "postgres"

    def check(self, url: URL) -> None:
        """Ask for a database; asyncpg knows the parameters."""
        if not url.database:
            raise ConfigError("url names no database; right is postgresql://USER@HOST/DATABASE")

    async def connect(self, parameters: Parameters, password: str | None, limit: float) -> PostgreSQLLink:
        """Open a connection whose every transaction is read-only."""
        asyncpg = importlib.import_module("asyncpg")
        secret = {} if password is None else {"password": password}
        settings = {"application_name": "rcmon", "default_transaction_read_only": "on"}
        raw = await asyncpg.connect(**{**parameters, **secret}, timeout=limit, server_settings=settings)
        return PostgreSQLLink(raw)

    def set_of(self, column: str) -> str:
        """Write the aggregate; distinct ones come sorted, so that equal sets are equal texts."""
        return f"STRING_AGG(DISTINCT CAST({column} AS VARCHAR), ',')"

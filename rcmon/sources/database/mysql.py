"""MariaDB and MySQL through asyncmy: what nearly all agents have."""

import importlib
from collections.abc import Sequence
from ssl import SSLContext
from typing import Any

from sqlalchemy import URL

from rcmon.errors import ConfigError
from rcmon.sources.database.driver import NOTHING, Parameters, Raw, milliseconds

SET_LENGTH = 1_000_000
"""Longest text of a set, bytes; MySQL would cut it at 1024 without a word."""


class MySQLLink:
    """A connection to MariaDB or MySQL, in READ COMMITTED like the agent's own.

    So each statement sees one state of the database, and the agent's clean-up of old rows is never held
    up by a poll.
    """

    begin: Sequence[str] = (
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY",
        f"SET SESSION group_concat_max_len = {SET_LENGTH}",
        "START TRANSACTION READ ONLY",
    )

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self._mariadb = "mariadb" in str(raw.get_server_info()).lower()

    def bounded(self, sql: str, limit: float) -> Sequence[str]:
        """Bound by MariaDB's max_statement_time, in one go, or by MySQL's max_execution_time."""
        if self._mariadb:
            return (f"SET STATEMENT max_statement_time = {limit:.3f} FOR {sql}",)
        return (f"SET SESSION max_execution_time = {milliseconds(limit)}", sql)

    async def end(self) -> None:
        """Do nothing: closing ends it."""

    async def discard(self) -> None:
        """Close the socket without a word."""
        self.raw.close()


class MySQL:
    """MariaDB and MySQL."""

    names = ("mysql", "mariadb")
    dialect = "mysql+asyncmy"
    extra = "mysql"

    engine = NOTHING
    adapter = NOTHING

    def check(self, url: URL) -> None:
        """Ask for a database; SQLAlchemy and asyncmy know the parameters."""
        if not url.database:
            raise ConfigError("url names no database; right is mysql://USER@HOST/DATABASE")

    async def connect(
        self, parameters: Parameters, password: str | None, limit: float, tls: SSLContext | None
    ) -> MySQLLink:
        """Open a connection; asyncmy itself closes it where this is cancelled."""
        asyncmy = importlib.import_module("asyncmy")
        ours: dict[str, Any] = {} if password is None else {"password": password}
        if tls is not None:
            ours["ssl"] = tls
        return MySQLLink(await asyncmy.connect(**{**parameters, **ours, "connect_timeout": limit}))

    def set_of(self, column: str) -> str:
        """Write the aggregate; not ordered, because that costs a third more and hardly any text differs."""
        return f"GROUP_CONCAT(DISTINCT {column})"

"""Oracle through oracledb in thin mode; written by its documentation, no server was at hand to try it on."""

import importlib
from collections.abc import Sequence
from ssl import SSLContext

from sqlalchemy import URL

from rcmon.errors import SourceError
from rcmon.sources.database.driver import NOTHING, Parameters, Raw, milliseconds


class OracleLink:
    """A connection to Oracle whose transaction sees one state of the database throughout."""

    begin: Sequence[str] = ("SET TRANSACTION READ ONLY",)

    def __init__(self, raw: Raw) -> None:
        self.raw = raw

    def bounded(self, sql: str, limit: float) -> Sequence[str]:
        """Bound the round trip; the driver then makes the server stop."""
        self.raw.call_timeout = milliseconds(limit)
        return (sql,)

    async def end(self) -> None:
        """Do nothing: closing ends it."""

    async def discard(self) -> None:
        """Stop what runs and close; whoever calls bounds the time."""
        self.raw.cancel()
        await self.raw.close()


class Oracle:
    """Oracle, 19c or later."""

    names = ("oracle",)
    dialect = "oracle+oracledb_async"
    extra = "oracle"

    engine = NOTHING
    adapter = NOTHING

    def check(self, url: URL) -> None:
        """Accept any URL: oracledb knows the parameters."""

    async def connect(
        self, parameters: Parameters, password: str | None, limit: float, tls: SSLContext | None
    ) -> OracleLink:
        """Open a connection; TLS is asked for by `protocol=tcps` in the URL."""
        if tls is not None:
            raise SourceError("TLS to Oracle is asked for by protocol=tcps, not by ssl_ca")
        oracledb = importlib.import_module("oracledb")
        secret = {} if password is None else {"password": password}
        raw = await oracledb.connect_async(**{**parameters, **secret}, tcp_connect_timeout=limit)
        return OracleLink(raw)

    def set_of(self, column: str) -> str:
        """Write the aggregate; ordered, so that equal sets are equal texts."""
        return f"LISTAGG(DISTINCT {column}, ',') WITHIN GROUP (ORDER BY {column})"

"""What the makes of database differ in."""

import struct
from collections.abc import Mapping, Sequence
from ssl import SSLContext
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from sqlalchemy import URL

Raw: TypeAlias = Any
"""A driver's own connection: each driver has a class of its own, none of them with a common base."""
Parameters: TypeAlias = Mapping[str, Any]
"""What a driver's `connect` takes by name, as SQLAlchemy's dialect makes it from a URL."""


class DatabaseLink(Protocol):
    """One open connection."""

    @property
    def raw(self) -> Raw:
        """The driver's connection."""

    @property
    def begin(self) -> Sequence[str]:
        """The statements that begin the one read-only transaction of a poll."""

    def bounded(self, sql: str, limit: float) -> Sequence[str]:
        """Give the statements of which the last is `sql`, stopped by the server after `limit` seconds."""

    async def end(self) -> None:
        """End the transaction in peace."""

    async def discard(self) -> None:
        """Cut the connection off at once, in whatever state it is; nothing of it is left running."""


class Driver(Protocol):
    """One make of database."""

    @property
    def names(self) -> Sequence[str]:
        """The URL schemes that mean this make."""

    @property
    def dialect(self) -> str:
        """SQLAlchemy's name of dialect and asynchronous driver."""

    @property
    def extra(self) -> str:
        """The extra of rcmon that installs the driver; empty where it is always there."""

    @property
    def engine(self) -> Mapping[str, Any]:
        """What SQLAlchemy's engine is made with."""

    @property
    def adapter(self) -> Mapping[str, Any]:
        """What SQLAlchemy's own wrapping of a connection is made with."""

    def check(self, url: URL) -> None:
        """Raise ConfigError for a URL that this make cannot use."""

    async def connect(
        self, parameters: Parameters, password: str | None, limit: float, tls: SSLContext | None
    ) -> DatabaseLink:
        """Open a connection that cannot write, within `limit` seconds; the driver is imported only here.

        Where there is a context of TLS, nothing secret is said without it.
        """

    def set_of(self, column: str) -> str:
        """Write the aggregate of a column's distinct whole numbers as a text, separated by commas."""


MISUNDERSTOOD = (LookupError, ValueError, ArithmeticError, AssertionError, AttributeError, struct.error)
"""What drivers raise where the other side speaks something else."""
NOTHING: Mapping[str, Any] = MappingProxyType({})


def milliseconds(seconds: float) -> int:
    """Write a limit for a server to which 0 would mean none."""
    return max(1, int(seconds * 1000))

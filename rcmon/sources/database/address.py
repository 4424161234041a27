"""A URL as an operator writes it -> the make of database, and the URL that SQLAlchemy takes."""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from rcmon.errors import ConfigError
from rcmon.sources.database.driver import Driver
from rcmon.sources.database.mysql import MySQL
from rcmon.sources.database.oracle import Oracle
from rcmon.sources.database.postgresql import PostgreSQL
from rcmon.sources.database.sqlite import SQLite
from rcmon.sources.database.tls import split
from rcmon.sources.tls import Tls

DRIVERS: Sequence[Driver] = (MySQL(), Oracle(), PostgreSQL(), SQLite())
SECRETS = ("password", "passwd")


class DatabaseAddress(Struct, frozen=True):
    """Where a database is, and how it is spoken to."""

    driver: Driver
    url: URL
    """It says nothing of TLS any more."""
    tls: Tls | None


def address(text: str) -> DatabaseAddress:
    """Read a URL such as `mysql://reader@host/database`; the driver goes without saying.

    Raises ConfigError for one that cannot be used or that holds a password; the message does not show it.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise ConfigError("url is not a URL; right is, for instance, mysql://USER@HOST/DATABASE") from error
    if url.password is not None or any(key in url.query for key in SECRETS):
        raise ConfigError("url holds a password; it belongs in a file of its own, named by password_file")
    scheme, _, module = url.drivername.partition("+")
    for driver in DRIVERS:
        if scheme in driver.names:
            break
    else:
        known = ", ".join(name for driver in DRIVERS for name in driver.names)
        raise ConfigError(f"url has the scheme {scheme!r}; known are {known}")
    if module and url.drivername != driver.dialect:
        raise ConfigError(f"url asks for the driver {module!r}; write {scheme}:// and leave the driver out")
    driver.check(url)
    rest, tls = split(url)
    return DatabaseAddress(driver, rest.set(drivername=driver.dialect), tls)

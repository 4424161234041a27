"""TLS to a database server: what a URL says of it, and the context made of that at each connect."""

import ssl
from pathlib import Path

from msgspec import Struct
from sqlalchemy import URL

from rcmon.errors import ConfigError

KEYS = ("ssl_ca", "ssl_cert", "ssl_key", "ssl_check_hostname")
_ANSWERS = {"true": True, "false": False}


class Tls(Struct, frozen=True):
    """Whom to trust and who we are; the server's certificate is always checked."""

    ca: str
    """File of certificates, or hashed directory."""
    cert: str | None = None
    """File of our certificate, where the server asks for one."""
    key: str | None = None
    """File of its key, where it does not stand with the certificate."""
    check_hostname: bool = True

    def context(self) -> ssl.SSLContext:
        """Make the context, of the files as they are now. Raises OSError, an SSLError included."""
        where = {"capath": self.ca} if Path(self.ca).is_dir() else {"cafile": self.ca}
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, **where)
        context.check_hostname = self.check_hostname
        if self.cert is not None:
            context.load_cert_chain(self.cert, self.key)
        return context


def split(url: URL) -> tuple[URL, Tls | None]:
    """Part what a URL says of TLS from the rest of it. Raises ConfigError for what cannot be used."""
    rest = url.difference_update_query(KEYS)
    if odd := next((key for key in rest.query if key.startswith("ssl_")), None):
        raise ConfigError(f"url has the parameter {odd!r}; known of TLS are {', '.join(KEYS)}")
    given = {key: str(url.query[key]) for key in KEYS if key in url.query}
    if not given:
        return rest, None
    answer = given.get("ssl_check_hostname", "true")
    if "ssl_ca" not in given or answer not in _ANSWERS or ("ssl_key" in given and "ssl_cert" not in given):
        raise ConfigError(
            "url asks for TLS; right are ssl_ca=FILE, of its own or with ssl_cert=FILE and ssl_key=FILE,"
            " and ssl_check_hostname=true or false"
        )
    tls = Tls(given["ssl_ca"], given.get("ssl_cert"), given.get("ssl_key"), _ANSWERS[answer])
    try:
        tls.context()
    except OSError as error:
        raise ConfigError(f"url asks for TLS with {given!r}: {_why(error)}") from error
    return rest, tls


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"no certificate or key can be read from that: {error.reason or error}"
    return f"a file cannot be read: {error.strerror}"

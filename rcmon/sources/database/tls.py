"""TLS to a database server: what a URL says of it."""

from sqlalchemy import URL

from rcmon.errors import ConfigError
from rcmon.sources.tls import Tls, why

KEYS = ("ssl_ca", "ssl_cert", "ssl_key", "ssl_check_hostname")
_ANSWERS = {"true": True, "false": False}


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
        raise ConfigError(f"url asks for TLS with {given!r}: {why(error)}") from error
    except ValueError as error:
        raise ConfigError(f"url asks for TLS with {given!r}: is no path: {error}") from error
    return rest, tls

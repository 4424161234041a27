"""What a source that is asked over HTTP says in the sources file, and the address made of it."""

import ipaddress
from pathlib import Path

import httpx2

from rcmon.errors import ConfigError
from rcmon.sources.base import FileOrFolder, SourceConfig, Text
from rcmon.sources.tls import Tls, why


class HTTPConfig(SourceConfig, frozen=True, kw_only=True):
    """What a `[[source]]` says whose kind asks a web service."""

    url: Text
    """Where the service is: https, or http on this machine's own loopback address. It holds no secret."""
    ca: FileOrFolder | None = None
    """Certificates of the authorities that the server's must be from; else those that the system trusts."""
    cert: Path | None = None
    """Our certificate, where the server asks for one; a proxy certificate too."""
    key: Path | None = None
    """Its key, where it does not stand with the certificate; it has no passphrase."""
    token_file: Path | None = None
    """The file whose content, less the newline at its end, is our token (Bearer); read at each poll."""


def base_of(text: str) -> httpx2.URL:
    """Read the address of a service. Raises ConfigError; the message does not show what may be secret."""
    try:
        url = httpx2.URL(text)
    except (httpx2.InvalidURL, ValueError) as error:
        raise ConfigError("url is not a URL; right is, for instance, https://HOST/PATH") from error
    if url.userinfo:
        raise ConfigError("url holds a user or password; a token belongs in a file, named by token_file")
    if url.query or url.fragment:
        raise ConfigError("url holds a query or fragment; right is the address of the service alone")
    if url.scheme not in {"http", "https"} or not url.host:
        raise ConfigError(
            f"url has the scheme {url.scheme!r} and the host {url.host!r}; right is https://HOST/PATH"
        )
    if url.scheme == "http" and not _is_loopback(url.host):
        raise ConfigError(
            f"url asks {url.host!r} by plain http, which is for this machine itself; right is https://"
        )
    return url.copy_with(raw_path=url.raw_path.rstrip(b"/") or b"/")


def tls_of(config: HTTPConfig) -> Tls:
    """Take what a configuration says of TLS. Raises ConfigError for files that cannot be used."""
    if config.key is not None and config.cert is None:
        raise ConfigError("key is given without cert; right are both, or a cert that holds the key too")
    tls = Tls(_text(config.ca), _text(config.cert), _text(config.key))
    try:
        tls.context()
    except OSError as error:
        named = ", ".join(f"{name} {path}" for name in ("ca", "cert", "key") if (path := getattr(tls, name)))
        raise ConfigError(f"{named or 'the authorities of the system'}: {why(error)}") from error
    return tls


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

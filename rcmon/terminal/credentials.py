"""Whose certificate is shown: found as grid tools do, and examined before it is used.

The order is that of Globus and of what followed it: what is named, then a proxy, then the user's own.
"""

import os
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from msgspec import Struct

from rcmon.terminal.failure import CONFIG, FORBIDDEN, TerminalError
from rcmon.terminal.words import lasting

_LARGEST = 1 << 20
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class Found(Struct, frozen=True):
    """A certificate with its key."""

    certificate: Path
    key: Path
    """The same file for a proxy."""
    origin: str
    """What led there, in words."""


class Surroundings(Struct, frozen=True):
    """Where certificates are looked for."""

    environment: Mapping[str, str]
    home: Path
    uid: int
    temporary: Path = Path("/tmp")  # noqa: S108 - where every grid tool puts its proxies; the owner is looked at

    @property
    def proxy(self) -> Path:
        """Where a proxy lies if nothing else was said."""
        return self.temporary / f"x509up_u{self.uid}"


def searched() -> Surroundings:
    """Tell where this user's are."""
    return Surroundings(os.environ, Path(os.path.expanduser("~")), os.getuid())  # noqa: PTH111 - never raises


def find(certificate: str | None, key: str | None, where: Surroundings) -> Found:
    """Find the certificate that is meant. Raises TerminalError where there is none that can be used."""
    found = _named(certificate, key, where) or _left_about(where)
    if found is None:
        raise TerminalError(
            "no certificate was found: name one with --cert and --key, make a proxy (voms-proxy-init), or set"
            f" X509_USER_PROXY, or X509_USER_CERT and X509_USER_KEY; looked for {where.proxy} and"
            f" {where.home / '.globus' / 'usercert.pem'} too",
            FORBIDDEN,
        )
    _examine(found, where.uid)
    return found


def _named(certificate: str | None, key: str | None, where: Surroundings) -> Found | None:
    """Give what an option or a variable names."""
    if certificate is not None:
        return Found(Path(certificate), Path(key or certificate), "--cert")
    if key is not None:
        raise TerminalError("--key is given without --cert: name the certificate too", CONFIG)
    if proxy := where.environment.get("X509_USER_PROXY"):
        return Found(Path(proxy), Path(proxy), "X509_USER_PROXY")
    return None


def _left_about(where: Surroundings) -> Found | None:
    """Give what lies where it usually does, or is named for the case that there is no proxy."""
    if where.proxy.exists():
        return Found(where.proxy, where.proxy, "the usual place of a proxy")
    variables = "X509_USER_CERT", "X509_USER_KEY"
    given, key = (where.environment.get(name) for name in variables)
    if given and key:
        return Found(Path(given), Path(key), " and ".join(variables))
    if given or key:
        there, missing = variables if given else variables[::-1]
        raise TerminalError(f"{there} is set but {missing} is not: set both, or neither", CONFIG)
    folder = where.home / ".globus"
    own = Found(folder / "usercert.pem", folder / "userkey.pem", "the usual place")
    return own if own.certificate.exists() else None


def _examine(found: Found, uid: int) -> None:
    """Hold that both can be read, by nobody else, and that the certificate is valid now."""
    text = _read(found.certificate, found.origin)
    key = found.key if found.key != found.certificate else None
    if key is not None:
        _read(key, found.origin)
    _check_private(found.key, uid)
    try:
        chain = x509.load_pem_x509_certificates(text)
    except ValueError:
        raise TerminalError(
            f"{found.certificate} ({found.origin}) holds no certificate in PEM form; openssl pkcs12"
            " takes a .p12 file apart",
            CONFIG,
        ) from None
    _check_valid(chain, found)


def _read(path: Path, origin: str) -> bytes:
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST + 1)
    except OSError as error:
        raise TerminalError(f"{path} ({origin}) cannot be read: {error.strerror}", FORBIDDEN) from error
    if len(text) > _LARGEST:
        raise TerminalError(f"{path} ({origin}) is no certificate or key: it is too large", CONFIG)
    return text


def _check_private(key: Path, uid: int) -> None:
    """Whoever reads a key can act as its owner; whoever lays a proxy somewhere would have us act as them."""
    status = key.stat()
    if status.st_uid not in (uid, 0):
        raise TerminalError(f"{key} belongs to another user (uid {status.st_uid}): it is not used", FORBIDDEN)
    if status.st_mode & _OTHERS:
        raise TerminalError(f"{key} can be read by others; do: chmod 600 {key}", FORBIDDEN)


def _check_valid(chain: list[x509.Certificate], found: Found) -> None:
    now = datetime.now(UTC)
    for one in chain:
        if one.not_valid_after_utc < now:
            ago = lasting((now - one.not_valid_after_utc).total_seconds())
            raise TerminalError(
                f"the certificate in {found.certificate} ({found.origin}) expired {ago} ago: renew it,"
                " a proxy by voms-proxy-init",
                FORBIDDEN,
            )
        if one.not_valid_before_utc > now:
            ahead = lasting((one.not_valid_before_utc - now).total_seconds())
            raise TerminalError(
                f"the certificate in {found.certificate} ({found.origin}) is not valid for another {ahead}:"
                " is this machine's clock right?",
                FORBIDDEN,
            )

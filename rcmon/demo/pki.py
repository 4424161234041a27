"""The demo's certificates: a CA, a server for this machine, and one client per role and one without any.

They are made up and good for nothing but the demo; the service itself never makes a certificate.
"""

import datetime as dt
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from msgspec import Struct

from rcmon.demo.files import PRIVATE, write_atomically
from rcmon.demo.issuing import Pair, issue_authority, issue_client, issue_server, subject, validity

CLIENTS = ("reader", "agent", "operator", "admin", "stranger")
"""The demo's people, each named after the role it gets; the stranger gets none."""
HOSTS = ("localhost", "127.0.0.1", "::1")
LIFETIME = dt.timedelta(days=30)
LEAST_LEFT = dt.timedelta(days=1)
"""Certificates with less left than this are made anew."""
AUTHORITY = "ca"
SERVER = "server"
AUTHORITY_NAME = "rcmon demo CA"
P12_PASSWORD = "rcmon"  # noqa: S105 - no secret: some browsers import nothing without a password
"""Of the clients' PKCS #12 files."""
_COMMON_NAMES = {AUTHORITY: AUTHORITY_NAME, SERVER: HOSTS[0]}
"""Common names that differ from the file's name."""


class DemoPki(Struct, frozen=True):
    """Where the demo's certificates lie: NAME.crt and NAME.key (mode 0600).

    Clients also have both in one: NAME.pem for grid tools and curl, NAME.p12 (PKCS #12) for browsers.
    """

    directory: Path

    @property
    def ca(self) -> Path:
        """The CA's certificate."""
        return self.certificate(AUTHORITY)

    def certificate(self, name: str) -> Path:
        """Locate the certificate of `ca`, `server` or one of CLIENTS."""
        return self.directory / f"{name}.crt"

    def key(self, name: str) -> Path:
        """Locate the private key of `ca`, `server` or one of CLIENTS."""
        return self.directory / f"{name}.key"

    def both(self, name: str) -> Path:
        """Locate the file with the certificate and the key of one of CLIENTS."""
        return self.directory / f"{name}.pem"

    def p12(self, name: str) -> Path:
        """Locate what a browser imports of one of CLIENTS, under P12_PASSWORD."""
        return self.directory / f"{name}.p12"


def make_pki(directory: Path, now: dt.datetime | None = None) -> DemoPki:
    """Make the demo's certificates in `directory`, or keep those there while all are whole and last a day.

    `now` (with a time zone) is the present where not given. Raises OSError where `directory` cannot be
    written.
    """
    now = now or dt.datetime.now(dt.UTC)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    pki = DemoPki(directory)
    if not _usable(pki, now):
        _make(pki, now)
    return pki


def _make(pki: DemoPki, now: dt.datetime) -> None:
    """Make all of them; the CA comes last, so that a set half written never looks whole."""
    span = validity(now, LIFETIME)
    authority = issue_authority(_COMMON_NAMES[AUTHORITY], span)
    _write(pki, SERVER, issue_server(authority, HOSTS, span))
    for name in CLIENTS:
        client = issue_client(authority, name, span)
        _write(pki, name, client)
        write_atomically(pki.both(name), client.certificate_pem + client.key_pem, PRIVATE)
        write_atomically(pki.p12(name), _p12(name, client, authority), PRIVATE)
    _write(pki, AUTHORITY, authority)


def _p12(name: str, client: Pair, authority: Pair) -> bytes:
    """Pack a client's certificate, key and CA for a browser."""
    encryption = serialization.BestAvailableEncryption(P12_PASSWORD.encode())
    friendly = f"rcmon demo {name}".encode()
    return pkcs12.serialize_key_and_certificates(
        friendly, client.key, client.certificate, [authority.certificate], encryption
    )


def _write(pki: DemoPki, name: str, pair: Pair) -> None:
    """Write a certificate and its key."""
    write_atomically(pki.key(name), pair.key_pem, PRIVATE)
    write_atomically(pki.certificate(name), pair.certificate_pem)


def _usable(pki: DemoPki, now: dt.datetime) -> bool:
    """Tell whether every file is there, readable, of its kind, matching and valid for LEAST_LEFT."""
    try:
        authority = _read(pki, AUTHORITY, now)
        pairs = {name: _read(pki, name, now) for name in (SERVER, *CLIENTS)}
        for pair in pairs.values():
            pair.certificate.verify_directly_issued_by(authority.certificate)
        for name in CLIENTS:
            whole = pairs[name].certificate_pem + pairs[name].key_pem
            _check(pki.both(name).read_bytes() == whole, f"{name}.pem: not the certificate and the key")
            _check_private(pki.both(name))
            _check_p12(pki, name, pairs[name])
    except (OSError, ValueError, TypeError, InvalidSignature):
        return False
    return True


def _read(pki: DemoPki, name: str, now: dt.datetime) -> Pair:
    """Read a certificate and its key; ValueError or TypeError where they do not fit or do not last."""
    certificate = x509.load_pem_x509_certificate(pki.certificate(name).read_bytes())
    key = serialization.load_pem_private_key(pki.key(name).read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{name}.key: not an elliptic-curve key")
    _check(certificate.subject == subject(_COMMON_NAMES.get(name, name)), f"{name}: another subject")
    _check(certificate.public_key() == key.public_key(), f"{name}: certificate and key do not match")
    _check(certificate.not_valid_before_utc <= now, f"{name}: not yet valid")
    _check(certificate.not_valid_after_utc - now >= LEAST_LEFT, f"{name}: ends soon")
    _check_private(pki.key(name))
    return Pair(certificate, key)


def _check_p12(pki: DemoPki, name: str, pair: Pair) -> None:
    """Hold that what a browser imports is the client's certificate."""
    content = pkcs12.load_pkcs12(pki.p12(name).read_bytes(), P12_PASSWORD.encode())
    _check(
        content.cert is not None and content.cert.certificate == pair.certificate, f"{name}.p12: another's"
    )
    _check_private(pki.p12(name))


def _check_private(path: Path) -> None:
    """Hold that a file with a key belongs to its owner alone."""
    _check(path.stat().st_mode & 0o077 == 0, f"{path.name}: others may read it")


def _check(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads like assert, which may be off
    """Raise ValueError unless `holds`."""
    if not holds:
        raise ValueError(otherwise)

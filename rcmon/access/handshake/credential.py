"""The server's own certificate and private key, checked so that whatever is wrong has a clear message."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID
from msgspec import Struct

from rcmon.access.der.pem import PemError, load_certificates
from rcmon.errors import ConfigError
from rcmon.files.reading import SECRET, FileError, read_bounded

PrivateKey = (
    rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
)
"""The kinds of key that TLS servers have."""

_KEY_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)
_FOR_SERVERS = frozenset({ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})
_MAX_SIZE = 1024 * 1024
_MAX_CHAIN = 8


class Credential(Struct, frozen=True, eq=False):
    """A certificate with the chain that is sent with it, and its private key."""

    certificates: tuple[x509.Certificate, ...]
    """The server's own first."""
    key: PrivateKey

    @property
    def not_after(self) -> float:
        """End of the certificate's validity, seconds since the epoch."""
        return self.certificates[0].not_valid_after_utc.timestamp()

    def is_valid(self, now: float) -> bool:
        """Tell whether `now` (seconds since the epoch) lies within the certificate's validity."""
        return self.certificates[0].not_valid_before_utc.timestamp() <= now < self.not_after

    @property
    def host_names(self) -> tuple[str, ...]:
        """The DNS names that the certificate is for; none where they cannot be read."""
        try:
            names = self.certificates[0].extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
            return ()
        return tuple(names.value.get_values_for_type(x509.DNSName))

    @property
    def addresses(self) -> tuple[IPv4Address | IPv6Address, ...]:
        """The IP addresses that the certificate is for; none where they cannot be read."""
        try:
            names = self.certificates[0].extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
            return ()
        found = names.value.get_values_for_type(x509.IPAddress)
        return tuple(each for each in found if isinstance(each, IPv4Address | IPv6Address))

    def pem(self) -> bytes:
        """Write certificates and key in one, unencrypted."""
        key = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in self.certificates) + key

    def completed(self, authorities: Iterable[x509.Certificate]) -> "Credential":
        """Add the issuing CA where the file holds the certificate alone.

        OpenSSL otherwise builds and verifies the chain anew for every handshake. A root at the end of a
        longer chain is left away: clients have it or do not trust it.
        """
        certificates = list(self.certificates)
        pool = [*certificates[1:], *authorities]
        while not _is_self_issued(certificates[-1]) and len(certificates) < _MAX_CHAIN:
            above = next((each for each in pool if _issued(each, certificates[-1])), None)
            if above is None or (_is_self_issued(above) and len(certificates) > 1):
                break
            certificates.append(above)
        return Credential(tuple(certificates), self.key)


def load_credential(certificate: Path, key: Path) -> Credential:
    """Read certificate (PEM, its chain behind it) and key (PEM, unencrypted); both may be one file.

    Raises ConfigError: a file that cannot be read or parsed, one that is not for servers, a key that others
    may read or the group may write, an encrypted key, a key that is not the certificate's.
    """
    certificates = _certificates(certificate)
    private = _key(key)
    matching = [_public_der(each) == _public_der(private) for each in certificates]
    if not any(matching):
        raise ConfigError(f"server key {key} is not the key of the certificate in {certificate}")
    if not matching[0]:
        raise ConfigError(f"server certificate {certificate}: the server's own certificate must come first")
    try:
        _check_purpose(certificates[0])
    except ConfigError as error:
        raise ConfigError(f"server certificate {certificate}: {error}") from error
    return Credential(certificates, private)


def _certificates(path: Path) -> tuple[x509.Certificate, ...]:
    try:
        return load_certificates(read_bounded(path, _MAX_SIZE))
    except FileError as error:
        raise ConfigError(f"server certificate {error}") from error
    except PemError as error:
        raise ConfigError(f"server certificate {path}: {error}") from error


def _key(path: Path) -> PrivateKey:
    try:
        return _parse_key(read_bounded(path, _MAX_SIZE, SECRET))
    except FileError as error:
        raise ConfigError(f"server key {error}") from error
    except ConfigError as error:
        raise ConfigError(f"server key {path}: {error}") from error


def _parse_key(content: bytes) -> PrivateKey:
    block = _KEY_BLOCK.search(content)
    if block is None:
        raise ConfigError("holds no private key in PEM form")
    try:
        key = load_pem_private_key(block[0], None)
    except TypeError as error:
        raise ConfigError(
            "is encrypted; the service needs it unencrypted (openssl pkey -in … -out …)"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError("holds a private key that cannot be read") from error
    if not isinstance(key, PrivateKey):
        raise ConfigError(f"holds a private key of a kind that TLS does not use ({type(key).__name__})")
    return key


def _check_purpose(certificate: x509.Certificate) -> None:
    """Refuse one that says it is not for servers: no client takes it."""
    try:
        extensions = certificate.extensions
    except (ValueError, x509.DuplicateExtension) as error:
        raise ConfigError(f"has extensions that cannot be read: {error}") from error
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.ExtendedKeyUsage) and _FOR_SERVERS.isdisjoint(value):
            raise ConfigError(
                "is not for servers: its extended key usage lacks serverAuth; ask for one that is"
            )
        if isinstance(value, x509.KeyUsage) and not value.digital_signature:
            raise ConfigError("may not sign, which TLS needs: its key usage lacks digitalSignature")


def _public_der(holder: x509.Certificate | PrivateKey) -> bytes:
    return holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _is_self_issued(certificate: x509.Certificate) -> bool:
    return certificate.subject == certificate.issuer


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    if issuer.subject != certificate.issuer:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, TypeError, ValueError):
        return False
    return True

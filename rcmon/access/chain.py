"""The certificates of a verified chain, leaf first, and the RFC 3820 proxies among them, as they are read."""

import itertools
from collections.abc import Iterator, Sequence

from cryptography import x509
from msgspec import Struct

from rcmon.access.der import asn1
from rcmon.access.der.asn1 import DerError, DerReader
from rcmon.access.der.fields import Fields, read_fields
from rcmon.access.der.oids import PROXY_CERT_INFO
from rcmon.access.names.dn import Dn, DnError
from rcmon.errors import IdentityError


class ProxyCertInfo(Struct, frozen=True):
    """The extension as it was written (RFC 3820, 3.8)."""

    language: str
    """Object identifier of the policy language: how many of the issuer's rights the proxy has."""
    policy: bytes | None = None
    path_length: int | None = None
    """How many proxies may follow below it (OpenSSL enforces it); None: any number."""


class ChainLink(Struct, frozen=True, eq=False):
    """One certificate of a chain. Two of the same certificate are not equal; compare `der`."""

    der: bytes
    certificate: x509.Certificate
    fields: Fields
    subject: Dn
    issuer: Dn
    proxy: ProxyCertInfo | None
    """What makes it a proxy; None: it is none."""

    @property
    def serial(self) -> int:
        """The serial number."""
        return int.from_bytes(self.fields.serial, signed=True)


Chain = Sequence[ChainLink]
"""A verified chain from the client's certificate to the root."""


def read_link(data: bytes) -> ChainLink:
    """Read one certificate. Raises IdentityError."""
    try:
        certificate = x509.load_der_x509_certificate(data)
        fields = read_fields(certificate)
    except (DerError, ValueError, x509.InvalidVersion) as error:
        raise IdentityError("malformed", f"a certificate of the chain cannot be read: {error}") from error
    try:
        subject, issuer = Dn.from_der(fields.subject), Dn.from_der(fields.issuer)
    except DnError as error:
        raise IdentityError(
            "name", f"a certificate of the chain has a name that is refused: {error}"
        ) from error
    return ChainLink(data, certificate, fields, subject, issuer, _proxy(fields, subject))


def _proxy(fields: Fields, subject: Dn) -> ProxyCertInfo | None:
    extension = fields.extensions.get(PROXY_CERT_INFO)
    if extension is None:
        return None
    if not extension.critical:
        raise IdentityError("proxy_not_critical", f"the proxyCertInfo of {subject} is not critical")
    try:
        return read_proxy_cert_info(extension.value)
    except DerError as error:
        raise IdentityError(
            "proxy_malformed", f"the proxyCertInfo of {subject} cannot be read: {error}"
        ) from error


def read_proxy_cert_info(value: bytes) -> ProxyCertInfo:
    """Read the extension's value. Raises DerError."""
    outer = DerReader(value)
    info = outer.enter(asn1.SEQUENCE)
    outer.finish()
    path_length = info.integer() if info.next_tag() == asn1.INTEGER else None
    if path_length is not None and path_length < 0:
        raise DerError(f"path length {path_length} is negative")
    policy = info.enter(asn1.SEQUENCE)
    info.finish()
    language = policy.oid()
    text = policy.content(asn1.OCTET_STRING) if policy.next_tag() is not None else None
    policy.finish()
    return ProxyCertInfo(language, text, path_length)


def issued(chain: Chain) -> Iterator[tuple[ChainLink, ChainLink]]:
    """Pair each certificate that a CA issued with that CA.

    Proxies are left out: end entities issue them, and no CA's list or policy speaks of them. So is the last
    certificate, the trust anchor.
    """
    return itertools.pairwise(itertools.dropwhile(lambda link: link.proxy is not None, chain))

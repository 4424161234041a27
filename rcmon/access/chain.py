"""The certificates of a verified chain, leaf first, as they are read."""

from collections.abc import Sequence

from cryptography import x509
from msgspec import Struct

from rcmon.access.der.asn1 import DerError
from rcmon.access.der.fields import Fields, read_fields
from rcmon.access.names.dn import Dn, DnError
from rcmon.access.proxy import PROXY_CERT_INFO, ProxyCertInfo, read_proxy_cert_info
from rcmon.errors import IdentityError


class Link(Struct, frozen=True, eq=False):
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


Chain = Sequence[Link]
"""A verified chain from the client's certificate to the root."""


def read_link(data: bytes) -> Link:
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
    return Link(data, certificate, fields, subject, issuer, _proxy(fields, subject))


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

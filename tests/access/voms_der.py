"""VOMS attribute certificates written octet by octet, so that each part can be wrong."""

import datetime as dt

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct
from msgspec.structs import replace

from tests.access import pki
from tests.access.pki import Credential, oid_der

VOMS = x509.ObjectIdentifier("1.3.6.1.4.1.8005.100.100.5")
ECDSA_SHA256 = "1.2.840.10045.4.3.2"


def der(tag: int, *parts: bytes) -> bytes:
    """Write one element of any length."""
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def integer(value: int) -> bytes:
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1))


def extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    return der(0x30, oid_der(oid), der(0x01, b"\xff") if critical else b"", der(0x04, value))


NO_REVOCATION = extension("2.5.29.56", b"\x05\x00")


class Parts(Struct, frozen=True):
    """The parts of an attribute certificate, right unless a test changes one."""

    holder: bytes
    issuer: bytes
    certificates: tuple[bytes, ...]
    version: bytes = integer(1)
    algorithm: bytes = der(0x30, oid_der(ECDSA_SHA256))
    not_before: bytes = b""
    not_after: bytes = b""
    policy: bytes = b"cms://voms.example.org:15002"
    fqans: tuple[bytes, ...] = (b"/cms/Role=production/Capability=NULL", b"/cms")
    extensions: tuple[bytes, ...] = (NO_REVOCATION,)
    more_attributes: bytes = b""

    def info(self) -> bytes:
        names = der(0xA0, der(0x86, self.policy))
        values = der(0x30, *(der(0x04, fqan) for fqan in self.fqans))
        attribute = der(0x30, oid_der("1.3.6.1.4.1.8005.100.100.4"), der(0x31, der(0x30, names, values)))
        certificates = extension("1.3.6.1.4.1.8005.100.100.10", der(0x30, der(0x30, *self.certificates)))
        return der(
            0x30,
            self.version,
            self.holder,
            der(0xA0, self.issuer),
            self.algorithm,
            integer(1),
            der(0x30, der(0x18, self.not_before), der(0x18, self.not_after)),
            der(0x30, attribute, self.more_attributes),
            der(0x30, *([certificates] if self.certificates else []), *self.extensions),
        )


def general_name(name: x509.Name) -> bytes:
    return der(0x30, der(0xA4, name.public_bytes()))


def moment(hours: float) -> bytes:
    """Write a time from now."""
    return (pki.now() + dt.timedelta(hours=hours)).strftime("%Y%m%d%H%M%SZ").encode()


def parts(user: Credential, server: Credential, **changes: object) -> Parts:
    """Describe what `server` says of `user`, with some parts changed."""
    certificate = user.certificate
    holder = der(0xA0, general_name(certificate.issuer), integer(certificate.serial_number))
    right = Parts(
        holder=der(0x30, holder),
        issuer=general_name(server.certificate.subject),
        certificates=(server.der,),
        not_before=moment(-1),
        not_after=moment(10),
    )
    return replace(right, **changes)


def attribute_certificate(server: Credential, described: Parts) -> bytes:
    """Sign with the server's key."""
    info = described.info()
    assert isinstance(server.key, ec.EllipticCurvePrivateKey)
    signature = server.key.sign(info, ec.ECDSA(hashes.SHA256()))
    return der(0x30, info, described.algorithm, der(0x03, b"\x00", signature))


def voms_extension(*certificates: bytes) -> bytes:
    return der(0x30, der(0x30, *certificates))


def proxy_with(user: Credential, value: bytes) -> Credential:
    """Make a proxy that carries a VOMS extension."""
    return pki.proxy(user, more=[(x509.UnrecognizedExtension(VOMS, value), False)])

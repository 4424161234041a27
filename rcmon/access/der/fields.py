"""What the trust checks read of a certificate, straight from its DER (RFC 5280, 4.1).

cryptography parses names and extensions lazily, with errors and warnings of many kinds; here a certificate
either is read whole or is a DerError.
"""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec import Struct

from rcmon.access.der import asn1
from rcmon.access.der.asn1 import DerReader, Extension
from rcmon.access.der.oids import BASIC_CONSTRAINTS, KEY_USAGE

DIGITAL_SIGNATURE = 0
KEY_CERT_SIGN = 5
CRL_SIGN = 6
"""Bits of keyUsage (RFC 5280, 4.2.1.3)."""

VERSION = 0xA0
EXTENSIONS = 0xA3
UNIQUE_IDS = (0x81, 0x82)


class Fields(Struct, frozen=True):
    """The fields of one certificate. Times: seconds since the epoch; names: the DER of an X.501 Name."""

    serial: bytes
    """The content of the INTEGER, as it stands in CRLs."""
    issuer: bytes
    not_before: float
    not_after: float
    subject: bytes
    public_key: bytes
    """The DER of the SubjectPublicKeyInfo."""
    extensions: dict[str, Extension]

    def is_authority(self) -> bool:
        """Whether basicConstraints say that it is a CA."""
        extension = self.extensions.get(BASIC_CONSTRAINTS)
        if extension is None:
            return False
        inside = DerReader(extension.value).enter(asn1.SEQUENCE)
        return inside.next_tag() == asn1.BOOLEAN and inside.content(asn1.BOOLEAN) != b"\x00"

    def path_length(self) -> int | None:
        """How many intermediate CAs may follow below it; None: any number."""
        extension = self.extensions.get(BASIC_CONSTRAINTS)
        if extension is None:
            return None
        inside = DerReader(extension.value).enter(asn1.SEQUENCE)
        inside.skip(asn1.BOOLEAN)
        return inside.integer() if inside.next_tag() == asn1.INTEGER else None

    def may(self, bit: int) -> bool:
        """Whether keyUsage allows the use numbered `bit`; a certificate without keyUsage allows any."""
        extension = self.extensions.get(KEY_USAGE)
        if extension is None:
            return True
        bits = DerReader(extension.value).content(asn1.BIT_STRING)[1:]
        return bit // 8 < len(bits) and bool(bits[bit // 8] & 0x80 >> bit % 8)


def read_fields(certificate: x509.Certificate) -> Fields:
    """Read the fields of a certificate. Raises DerError."""
    tbs = DerReader(certificate.public_bytes(Encoding.DER)).enter(asn1.SEQUENCE).enter(asn1.SEQUENCE)
    tbs.skip(VERSION)
    serial = tbs.content(asn1.INTEGER)
    tbs.element(asn1.SEQUENCE)  # the signature algorithm
    issuer = tbs.element(asn1.SEQUENCE)
    validity = tbs.enter(asn1.SEQUENCE)
    not_before, not_after = validity.time(), validity.time()
    subject, public_key = tbs.element(asn1.SEQUENCE), tbs.element(asn1.SEQUENCE)
    for tag in UNIQUE_IDS:
        tbs.skip(tag)
    found = {}
    if tbs.next_tag() == EXTENSIONS:
        found = asn1.extensions(tbs.enter(EXTENSIONS).enter(asn1.SEQUENCE))
    tbs.finish()
    return Fields(serial, issuer, not_before, not_after, subject, public_key, found)

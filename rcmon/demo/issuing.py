"""Making certificates: a CA and what it signs. ECDSA P-256 throughout, serials fresh and random."""

import datetime as dt
import ipaddress
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

CLOCK_SKEW = dt.timedelta(minutes=5)
"""A client whose clock is a little late must not find the certificate not yet valid."""


class Validity(Struct, frozen=True):
    """From when until when a certificate is valid; both with a time zone."""

    begin: dt.datetime
    end: dt.datetime


def validity(now: dt.datetime, lifetime: dt.timedelta) -> Validity:
    """Span `lifetime` from now, begun a little earlier for late clocks."""
    return Validity(now - CLOCK_SKEW, now + lifetime)


class Pair(Struct, frozen=True):
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """The certificate in PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key in PEM (PKCS #8, not encrypted)."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


_SUBJECT = (
    ("DC", NameOID.DOMAIN_COMPONENT, "org"),
    ("DC", NameOID.DOMAIN_COMPONENT, "rcmon"),
    ("OU", NameOID.ORGANIZATIONAL_UNIT_NAME, "Demo"),
)
"""What everybody's name in the demo begins with."""


def subject(common_name: str) -> x509.Name:
    """Name somebody of the demo."""
    parts = [x509.NameAttribute(oid, value) for _, oid, value in _SUBJECT]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def slash_form(common_name: str) -> str:
    """Write such a name as grid people do: /DC=org/DC=rcmon/OU=Demo/CN=`common_name`."""
    return "".join(f"/{key}={value}" for key, _, value in _SUBJECT) + f"/CN={common_name}"


def issue_authority(common_name: str, span: Validity) -> Pair:
    """Make a self-signed CA that may sign end-entity certificates and CRLs, nothing below."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = subject(common_name)
    builder = (
        _builder(name, name, key, span)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(ca=True), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    return Pair(builder.sign(key, hashes.SHA256()), key)


def issue_server(authority: Pair, hosts: Sequence[str], span: Validity) -> Pair:
    """Make a server certificate for `hosts` (names and addresses); the first is its common name."""
    sans = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
    return _issue(authority, hosts[0], span, ExtendedKeyUsageOID.SERVER_AUTH, sans)


def issue_client(authority: Pair, common_name: str, span: Validity) -> Pair:
    """Make a client certificate."""
    return _issue(authority, common_name, span, ExtendedKeyUsageOID.CLIENT_AUTH, None)


def _issue(
    authority: Pair,
    common_name: str,
    span: Validity,
    usage: x509.ObjectIdentifier,
    sans: x509.SubjectAlternativeName | None,
) -> Pair:
    """Make an end-entity certificate for one extended key usage."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate.subject
    issuer_id = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        _builder(subject(common_name), issuer, key, span)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_id), critical=False
        )
    )
    if sans is not None:
        builder = builder.add_extension(sans, critical=False)
    return Pair(builder.sign(authority.key, hashes.SHA256()), key)


def _builder(
    name: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    span: Validity,
) -> x509.CertificateBuilder:
    """Begin a certificate with what every one has."""
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(span.begin)
        .not_valid_after(span.end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    """Tell what the key may do: a CA signs certificates and CRLs, everybody else signs handshakes."""
    return x509.KeyUsage(
        digital_signature=not ca,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    """Write a host as an IP address where it is one, else as a DNS name."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)

"""Revocation lists for the tests, and directories of CAs with what lies beside them."""

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from rcmon.access.chain import Chain, read_link
from tests.access import pki
from tests.access.pki import Credential


def chain(credential: Credential, root: Credential) -> Chain:
    """Read a credential's chain as OpenSSL would hand it over: leaf first, root last."""
    certificates = (credential.certificate, *credential.above, root.certificate)
    return tuple(read_link(certificate.public_bytes(Encoding.DER)) for certificate in certificates)


def crl(
    issuer: Credential,
    revoked: Iterable[Credential | int] = (),
    *,
    begins: dt.timedelta = dt.timedelta(hours=-1),
    lasts: dt.timedelta = dt.timedelta(days=1),
    number: int | None = None,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    entry_extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    name: x509.Name | None = None,
    algorithm: hashes.HashAlgorithm | None = None,
) -> bytes:
    """Sign a list; DER. `begins` is from now, `lasts` from there."""
    start = pki.now() + begins
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(name or issuer.certificate.subject)
        .last_update(start)
        .next_update(start + lasts)
    )
    if number is not None:
        builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    for each in revoked:
        serial = each if isinstance(each, int) else each.certificate.serial_number
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(start)
        for extension, critical in entry_extensions:
            entry = entry.add_extension(extension, critical)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, algorithm or hashes.SHA256()).public_bytes(Encoding.DER)


def pem(der: bytes) -> bytes:
    return x509.load_der_x509_crl(der).public_bytes(Encoding.PEM)


def replace(path: Path, content: bytes) -> None:
    """Put new content in a file's place at once, as fetch-crl does."""
    beside = path.with_name("." + path.name)
    beside.write_bytes(content)
    beside.rename(path)

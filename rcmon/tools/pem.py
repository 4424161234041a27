"""Certificates of a client as people keep them: PEM or DER, alone, with their chain, or in a proxy file."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from rcmon.access.chain import ChainLink, read_link
from rcmon.access.der.pem import PemError, load_certificates
from rcmon.errors import RcmonError
from rcmon.files.reading import read_bounded

_MAX_SIZE = 1024 * 1024


class NoCertificateError(RcmonError):
    """A file without what was looked for in it."""


def read_certificates(path: Path) -> list[ChainLink]:
    """Read the certificates of a file in their order. Raises RcmonError."""
    content = read_bounded(path, _MAX_SIZE)
    try:
        if b"-----BEGIN" in content:
            certificates = load_certificates(content)
        else:
            certificates = (x509.load_der_x509_certificate(content),)
    except PemError as error:
        raise NoCertificateError(f"{path} {error}") from error
    except (ValueError, x509.InvalidVersion) as error:
        raise NoCertificateError(f"{path} holds no readable certificate, in PEM or DER: {error}") from error
    return [read_link(certificate.public_bytes(Encoding.DER)) for certificate in certificates]


def end_entity(path: Path, links: list[ChainLink]) -> ChainLink:
    """Find whose certificate or proxy a file holds: its first certificate that is no proxy.

    Raises NoCertificateError.
    """
    for link in links:
        if link.proxy is None:
            return link
    raise NoCertificateError(
        f"{path} holds proxies only; the certificate that they were made from is missing"
    )

"""Certificates in PEM form: every one of a file, or a clear reason why not."""

import re

from cryptography import x509

from rcmon.errors import RcmonError

_BLOCK = re.compile(rb"^-----BEGIN ([A-Z0-9 ]+)-----", re.MULTILINE)
_PLAIN = {b"CERTIFICATE", b"X509 CERTIFICATE"}
_TRUSTED = b"TRUSTED CERTIFICATE"


class PemError(RcmonError):
    """What of a file's content cannot be used; to be read behind the file's name."""


def load_certificates(content: bytes) -> tuple[x509.Certificate, ...]:
    """Read every certificate, in order. Raises PemError.

    A file that is being written lacks its end, and cryptography passes over what is not whole: then its
    last CAs would be distrusted for that moment. OpenSSL's TRUSTED form says what its certificate is
    trusted for, which would be lost.
    """
    labels = _BLOCK.findall(content)
    if _TRUSTED in labels:
        raise PemError(
            "holds a certificate in OpenSSL's own form (BEGIN TRUSTED CERTIFICATE);"
            " write it in the common one: openssl x509 -in FILE -out OTHERFILE"
        )
    begun = sum(label in _PLAIN for label in labels)
    if not begun:
        others = b", ".join(dict.fromkeys(labels)).decode()
        raise PemError("holds no certificate in PEM form" + (f", but {others}" if others else ""))
    try:
        certificates = tuple(x509.load_pem_x509_certificates(content))
    except (ValueError, x509.InvalidVersion) as error:
        raise PemError(f"holds no readable certificate in PEM form: {error}") from error
    if len(certificates) != begun:
        raise PemError(f"begins {begun} certificates in PEM form, of which {len(certificates)} are whole")
    return certificates

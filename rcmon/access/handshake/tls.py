"""The server's TLS context, and the one place that takes the verified chain from a connection."""

import os
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from rcmon.access.handshake.ca_names import CaNames, name_authorities
from rcmon.access.handshake.credential import Credential
from rcmon.errors import ConfigError

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""TLS 1.2 suites: forward secret and authenticated encryption only; those of TLS 1.3 all are."""
_DER = 2
"""`_ssl.ENCODING_DER`."""


def server_context(
    credential: Credential,
    authorities: Iterable[x509.Certificate],
    *,
    proxies: bool = True,
    ca_names: CaNames = CaNames.NO,
) -> ssl.SSLContext:
    """Build the context that demands a client certificate of one of these CAs.

    The CAs are handed over whole, so that the context is one consistent picture and never reads a file
    later. `proxies`: whether RFC 3820 proxies are accepted; `ca_names`: whether clients are told which
    CAs these are. Raises ConfigError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    # Resumption skips verification. Without tickets TLS 1.2 falls back to session identifiers, which OpenSSL
    # forgets when a connection ends without a close_notify of ours, as Tornado ends it; until then a client
    # may resume beside it: see SessionChains.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    context.verify_mode = ssl.CERT_REQUIRED
    # grid CAs are older than X509_STRICT's demands; a chain ends at a root, not at any trusted certificate
    context.verify_flags &= ~(ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN)
    if proxies:
        context.verify_flags |= ssl.VERIFY_ALLOW_PROXY_CERTS
    authorities = tuple(authorities)
    load_authorities(context, authorities)
    name_authorities(context, authorities, ca_names)
    load_credential_into(context, credential.completed(authorities))
    return context


def load_authorities(context: ssl.SSLContext, authorities: Iterable[x509.Certificate]) -> None:
    """Let a context trust these CAs. Raises ConfigError."""
    data = b"".join(certificate.public_bytes(Encoding.DER) for certificate in authorities)
    try:
        context.load_verify_locations(cadata=data)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(f"OpenSSL does not take the CA certificates: {error}") from error


def load_credential_into(context: ssl.SSLContext, credential: Credential) -> None:
    """Let a context identify itself with a credential. Raises ConfigError."""
    try:
        with _file_in_memory(credential.pem()) as path:
            context.load_cert_chain(path)
    except ssl.SSLError as error:
        raise ConfigError(f"OpenSSL does not take the certificate and key: {error}") from error


@contextmanager
def _file_in_memory(content: bytes) -> Iterator[str]:
    """Give content a path, which is all that Python's ssl takes, without putting it on a disk."""
    with os.fdopen(os.memfd_create("rcmon"), "wb") as file:
        file.write(content)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"


def verified_chain(connection: ssl.SSLSocket | ssl.SSLObject) -> list[bytes] | None:
    """Take the chain that OpenSSL verified, leaf first, as DER; None: there is none (a resumed session).

    Public only from Python 3.13 on. The one place that reaches for it before that; `self_test` of
    `rcmon.access.handshake.rehearsal` refuses to start where it is gone.
    """
    public = getattr(connection, "get_verified_chain", None)
    if public is not None:
        return public() or None
    chain = connection._sslobj.get_verified_chain()  # type: ignore[union-attr]  # noqa: SLF001
    return [certificate.public_bytes(_DER) for certificate in chain] if chain else None

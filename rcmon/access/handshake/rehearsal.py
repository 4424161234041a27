"""TLS handshakes in memory: what a context would do, before any client finds out."""

import datetime as dt
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from rcmon.access.handshake.credential import Credential
from rcmon.access.handshake.tls import load_credential_into, server_context, verified_chain
from rcmon.errors import ConfigError

_MAX_ROUNDS = 16
_NO_CERTIFICATE = "PEER_DID_NOT_RETURN_A_CERTIFICATE"
_UNUSABLE = "this Python's ssl module does not give the verified certificate chain of a connection"
_VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """Let two contexts shake hands in memory; return the server's end. Raises ssl.SSLError."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    serving = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [client.wrap_bio(to_client, to_server), serving]
    for _ in range(_MAX_ROUNDS):
        waiting = [side for side in waiting if not _is_done(side)]
        if not waiting:
            return serving
    raise ssl.SSLError(f"the handshake did not end within {_MAX_ROUNDS} rounds")


def client_context(credential: Credential | None = None) -> ssl.SSLContext:
    """Build the context of a client that looks at nothing of the server's: only for handshakes in memory."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if credential is not None:
        load_credential_into(context, credential)
    return context


def try_handshake(server: ssl.SSLContext) -> None:
    """Hold that a context serves TLS 1.2 and 1.3, and turns away a client without a certificate.

    Raises ConfigError.
    """
    for version in _VERSIONS:
        client = client_context()
        client.minimum_version = client.maximum_version = version
        try:
            shake_hands(server, client)
        except ssl.SSLError as error:
            if error.reason != _NO_CERTIFICATE:
                raise ConfigError(f"a trial handshake with {version.name} failed: {error}") from error
        else:
            raise ConfigError(f"a client without a certificate passed a trial handshake with {version.name}")


def self_test() -> None:
    """Hold that this Python gives the verified chain of a connection. Raises ConfigError."""
    credential = throw_away()
    (certificate,) = credential.certificates
    serving = shake_hands(server_context(credential, [certificate]), client_context(credential))
    try:
        chain = verified_chain(serving)
    except (AttributeError, TypeError, ValueError) as error:
        raise ConfigError(f"{_UNUSABLE} ({error})") from error
    if chain != [certificate.public_bytes(Encoding.DER)]:
        raise ConfigError(_UNUSABLE)


def _is_done(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def throw_away() -> Credential:
    """Make a certificate that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rcmon self-test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Credential((certificate,), key)

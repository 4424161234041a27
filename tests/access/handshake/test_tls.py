"""The server's TLS context in handshakes: what it demands, and that the verified chain comes out of it."""

import asyncio
import socket
import ssl
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from rcmon.access.handshake import rehearsal, tls
from rcmon.access.handshake.credential import Credential
from rcmon.access.handshake.rehearsal import client_context, self_test, shake_hands, try_handshake
from rcmon.access.handshake.tls import server_context, verified_chain
from rcmon.errors import ConfigError
from tests.access import pki

ROOT = pki.authority(pki.name("DC=ch", "CN=Root"))
ISSUING = pki.authority(pki.name("DC=ch", "CN=Issuing"), ROOT)
HOST = pki.host(ROOT)
ALICE = pki.entity(pki.name("DC=ch", "CN=alice"), ISSUING)
AUTHORITIES = [ROOT.certificate, ISSUING.certificate]
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def sent(credential: pki.Credential) -> Credential:
    return Credential((credential.certificate, *credential.above), credential.key)  # type: ignore[arg-type]


def server(*, proxies: bool = True, credential: pki.Credential = HOST) -> ssl.SSLContext:
    return server_context(sent(credential), AUTHORITIES, proxies=proxies)


def client(
    credential: pki.Credential | None = ALICE, version: ssl.TLSVersion | None = None
) -> ssl.SSLContext:
    context = client_context(None if credential is None else sent(credential))
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.parametrize("version", VERSIONS)
def test_the_verified_chain_comes_leaf_first_with_the_root(version: ssl.TLSVersion) -> None:
    serving = shake_hands(server(), client(version=version))
    expected = [ALICE.certificate, ISSUING.certificate, ROOT.certificate]
    assert verified_chain(serving) == [each.public_bytes(pki.Encoding.DER) for each in expected]
    assert serving.version() == version.name.replace("_", ".")


def test_the_self_test_passes_here() -> None:
    self_test()


@pytest.mark.parametrize(
    "broken",
    [lambda _: None, lambda _: [b"something else"], lambda connection: connection.gone.get_verified_chain()],
)
def test_the_self_test_fails_where_the_chain_is_not_to_be_had(
    broken: Callable[[object], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "verified_chain", broken)
    with pytest.raises(ConfigError, match="does not give the verified certificate chain"):
        self_test()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_without_a_certificate_is_turned_away(version: ssl.TLSVersion) -> None:
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
        shake_hands(server(), client(None, version))


@pytest.mark.parametrize(
    "cipher", ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "AES128-GCM-SHA256"]
)
def test_tls_1_2_suites_without_forward_secrecy_or_aead_are_refused(cipher: str) -> None:
    context = client(version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers(cipher)
    with pytest.raises(ssl.SSLError, match="NO_SHARED_CIPHER"):
        shake_hands(server(), context)


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"])
def test_tls_1_2_suites_with_both_are_taken(cipher: str) -> None:
    context = client(version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers(cipher)
    assert shake_hands(server(), context).cipher()[0] == cipher  # type: ignore[index]


def test_tls_1_1_is_refused() -> None:
    context = client()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError, match="UNSUPPORTED_PROTOCOL"):
        shake_hands(server(), context)


def test_the_context_neither_renegotiates_nor_hands_out_tickets() -> None:
    context = server()
    for option in (ssl.OP_NO_RENEGOTIATION, ssl.OP_NO_TICKET, ssl.OP_NO_COMPRESSION):
        assert context.options & option
    assert context.num_tickets == 0
    assert context.security_level >= 2
    assert not context.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN


@pytest.mark.parametrize("version", VERSIONS)
def test_proxies_pass_only_where_they_are_accepted(version: ssl.TLSVersion) -> None:
    bearer = client(pki.proxy(pki.proxy(ALICE)), version)
    assert len(verified_chain(shake_hands(server(), bearer)) or ()) == 5
    with pytest.raises(ssl.SSLCertVerificationError, match="proxy certificates not allowed"):
        shake_hands(server(proxies=False), bearer)


def test_grid_certificates_without_key_identifiers_pass() -> None:
    """X509_STRICT would refuse them: none of the test's certificates has a key identifier."""
    with pytest.raises(x509.ExtensionNotFound):
        ISSUING.certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    shake_hands(server(), client())


def test_an_intermediate_ca_is_no_end_of_a_chain() -> None:
    context = server_context(sent(HOST), [ISSUING.certificate])
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get issuer certificate"):
        shake_hands(context, client())


@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_certificate_alone_is_sent_with_its_issuer_only(version: ssl.TLSVersion) -> None:
    """Measured: OpenSSL else builds and verifies the chain at every handshake, and sends the root as well."""
    alone = pki.host(ISSUING)
    context = server_context(Credential((alone.certificate,), alone.key), AUTHORITIES)  # type: ignore[arg-type]
    trusting = client(version=version)
    trusting.verify_mode = ssl.CERT_REQUIRED
    trusting.load_verify_locations(cadata=ROOT.der)
    made: list[Any] = []

    class Noted(ssl.SSLObject):
        def __new__(cls, *_: object) -> "Noted":
            made.append(super().__new__(cls))
            return made[-1]

    trusting.sslobject_class = Noted
    shake_hands(context, trusting)
    assert [c.public_bytes(2) for c in made[0]._sslobj.get_unverified_chain()] == [alone.der, ISSUING.der]


def test_a_context_that_works_passes_its_trial() -> None:
    try_handshake(server())


def unusable_contexts() -> Iterator[tuple[str, ssl.SSLContext, str]]:
    lenient = server()
    lenient.verify_mode = ssl.CERT_OPTIONAL
    yield "takes anybody", lenient, "a client without a certificate passed"
    keyless = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    keyless.verify_mode = ssl.CERT_REQUIRED
    yield "no certificate", keyless, "trial handshake with TLSv1_2 failed: .*NO_SHARED_CIPHER"
    old = server()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    yield "no TLS 1.3", old, "trial handshake with TLSv1_3 failed"


@pytest.mark.parametrize(
    ("context", "complaint"),
    [case[1:] for case in unusable_contexts()],
    ids=[case[0] for case in unusable_contexts()],
)
def test_a_context_that_does_not_work_fails_its_trial(context: ssl.SSLContext, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        try_handshake(context)


def test_what_openssl_does_not_take_is_a_clear_error() -> None:
    with pytest.raises(ConfigError, match="OpenSSL does not take the CA certificates"):
        server_context(sent(HOST), [])
    weak = pki.host(ROOT, key=pki.rsa_key(1024))
    with pytest.raises(ConfigError, match=r"does not take the certificate and key: .*KEY_TOO_SMALL"):
        server_context(sent(weak), AUTHORITIES)


def test_a_purpose_that_is_not_the_clients_is_refused() -> None:
    only_server = pki.entity(pki.name("CN=x"), ISSUING, eku=[Eku.SERVER_AUTH])
    with pytest.raises(ssl.SSLCertVerificationError, match="unsuitable certificate purpose"):
        shake_hands(server(), client(only_server))


async def test_a_session_resumed_while_the_first_connection_lives_has_no_chain() -> None:
    """TLS 1.2 session identifiers: all that is left of resumption. No chain is no identity."""
    chains = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("ssl_object")
        chains.append((connection.session_reused, verified_chain(connection) is not None))
        writer.write(b"x")
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server())
    port = listening.sockets[0].getsockname()[1]
    context = client(version=ssl.TLSVersion.TLSv1_2)
    assert await asyncio.to_thread(connect_twice, context, port) == [False, True]
    listening.close()
    await listening.wait_closed()
    assert chains == [(False, True), (True, False)]


def connect_twice(context: ssl.SSLContext, port: int) -> list[bool]:
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port))) as first:
        first.recv(1)
        with context.wrap_socket(
            socket.create_connection(("127.0.0.1", port)), session=first.session
        ) as second:
            second.recv(1)
            return [bool(first.session_reused), bool(second.session_reused)]


def test_nothing_is_kept_of_a_connection_that_ended_without_our_close_notify() -> None:
    """As Tornado ends connections: the next one is verified afresh, whatever identifier it offers."""
    context, once = server(), client(version=ssl.TLSVersion.TLSv1_2)
    shake_hands(context, once)
    assert context.session_stats()["number"] == 0


def test_the_chain_is_taken_by_public_means_where_there_are_any() -> None:
    class New:
        def __init__(self, chain: list[bytes]) -> None:
            self.chain = chain

        def get_verified_chain(self) -> list[bytes]:
            return self.chain

    assert verified_chain(New([b"leaf", b"root"])) == [b"leaf", b"root"]  # type: ignore[arg-type]
    assert verified_chain(New([])) is None  # type: ignore[arg-type]
    assert tls.verified_chain is verified_chain

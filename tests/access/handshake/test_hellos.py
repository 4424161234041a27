"""What the server takes of raw hellos: every version and suite, also those that no library knows any more.

It is what testssl.sh looks for, each weakness by what a server that has it would answer.
"""

import os
import ssl
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pytest

from rcmon.access.handshake.credential import Credential
from rcmon.access.handshake.tls import server_context
from tests.access import pki

ROOT = pki.authority(pki.name("DC=ch", "CN=Root"))
SSL_3, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 = 0x0300, 0x0301, 0x0302, 0x0303, 0x0304
ALERT, HANDSHAKE, CHANGE_CIPHER_SPEC, HEARTBEAT = 21, 22, 20, 24
REGISTERED = [*range(0x0001, 0x0200), *range(0xC001, 0xC200), *range(0xCC00, 0xCD00), *range(0xFE00, 0xFF00)]
"""Cipher suites of TLS up to 1.2 that there ever were, and many that were not; those of GREASE aside."""
ECDSA = {0xC02B, 0xC02C, 0xCCA9}
"""ECDHE_ECDSA with AES 128 and 256 in GCM, and with CHACHA20_POLY1305 (RFC 5289, RFC 7905)."""
RSA = {0xC02F, 0xC030, 0xCCA8}
X25519, P_256, P_384, P_521, X448 = 29, 23, 24, 25, 30
STRONG = {X25519, P_256, P_384, P_521, X448}
GROUPS = (X25519, P_256, P_384)
SIGNATURES = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401)
FALLBACK = 0x5600
"""TLS_FALLBACK_SCSV (RFC 7507)."""
Served = tuple[ssl.SSLContext, set[int]]
KEYS = {"ecdsa": (pki.host(ROOT), ECDSA), "rsa": (pki.host(ROOT, key=pki.rsa_key(2048)), RSA)}


class Answer(NamedTuple):
    """The first record of the server's."""

    kind: int
    version: int
    suite: int | None = None
    compression: int | None = None
    extensions: frozenset[int] = frozenset()
    alert: int | None = None


def serving(credential: pki.Credential) -> ssl.SSLContext:
    sent = Credential((credential.certificate, *credential.above), credential.key)  # type: ignore[arg-type]
    return server_context(sent, [ROOT.certificate])


@pytest.fixture(params=KEYS)
def served(request: pytest.FixtureRequest) -> Served:
    """Give a server's context, and the suites that it takes."""
    credential, suites = KEYS[request.param]
    return serving(credential), suites


def vector(length: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return len(content).to_bytes(length, "big") + content


def numbers(values: Sequence[int]) -> bytes:
    return vector(2, *(value.to_bytes(2, "big") for value in values))


def hello(
    version: int,
    suites: Sequence[int],
    *,
    groups: Sequence[int] = GROUPS,
    signatures: Sequence[int] = SIGNATURES,
    compressions: bytes = b"\0",
    more: Sequence[tuple[int, bytes]] = (),
) -> bytes:
    """Write a record with a ClientHello (RFC 5246, 7.4.1.2)."""
    extensions = [
        (10, numbers(groups)),
        (11, vector(1, b"\0")),
        (13, numbers(signatures)),
        (0xFF01, b"\0"),
        *more,
    ]
    written = b"".join(kind.to_bytes(2, "big") + vector(2, body) for kind, body in extensions)
    body = version.to_bytes(2, "big") + os.urandom(32) + b"\0" + numbers(suites) + vector(1, compressions)
    message = b"\1" + vector(3, body, vector(2, written))
    return bytes([HANDSHAKE]) + min(version, TLS_1_2).to_bytes(2, "big") + vector(2, message)


def answered(context: ssl.SSLContext, *records: bytes) -> Answer | None:
    """Give the last answer to these; None: there is none."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    found = None
    for record in records:
        incoming.write(record)
        try:
            server.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            found = read(outgoing.read()) or Answer(ALERT, 0)
            break
        found = read(outgoing.read()) or found
    return found


def read(given: bytes) -> Answer | None:
    """Make out the first record."""
    if not given:
        return None
    kind, version, body = given[0], int.from_bytes(given[1:3], "big"), given[5:]
    if kind == ALERT:
        return Answer(kind, version, alert=body[1])
    hello = body[4:]
    at = 35 + hello[34]
    suite, compression = int.from_bytes(hello[at : at + 2], "big"), hello[at + 2]
    begin, length = at + 5, int.from_bytes(hello[at + 3 : at + 5], "big")
    extensions = frozenset(_extensions(hello[begin : begin + length]))
    return Answer(kind, int.from_bytes(hello[:2], "big"), suite, compression, extensions)


def _extensions(given: bytes) -> Iterator[int]:
    while given:
        yield int.from_bytes(given[:2], "big")
        given = given[4 + int.from_bytes(given[2:4], "big") :]


def test_of_all_suites_those_with_forward_secrecy_and_aead_are_taken_alone(served: Served) -> None:
    """So no NULL, anonymous, export, RC4, DES, 3DES, IDEA, CBC, static RSA or finite field one."""
    context, suites = served
    taken = {}
    for suite in REGISTERED:
        if (answer := answered(context, hello(TLS_1_2, [suite]))) and answer.kind == HANDSHAKE:
            taken[suite] = answer
    assert taken.keys() == suites
    assert {suite: answer.suite for suite, answer in taken.items()} == {suite: suite for suite in suites}
    assert {answer.version for answer in taken.values()} == {TLS_1_2}


@pytest.mark.parametrize("version", [SSL_3, TLS_1_0, TLS_1_1])
def test_older_versions_are_not_taken_whatever_the_suite(served: Served, version: int) -> None:
    context, _ = served
    for at in range(0, len(REGISTERED), 100):
        answer = answered(context, hello(version, REGISTERED[at : at + 100]))
        assert answer is not None
        assert answer.kind == ALERT, answer


def test_a_hello_of_ssl_2_is_not_taken(served: Served) -> None:
    """Also where it offers TLS, as old clients did."""
    context, _ = served
    suites = b"".join(bytes([0]) + suite.to_bytes(2, "big") for suite in ECDSA | RSA)
    for version in (0x0002, TLS_1_0):
        body = b"\1" + version.to_bytes(2, "big") + len(suites).to_bytes(2, "big") + b"\0\0\0\x10"
        body += suites + os.urandom(16)
        answer = answered(context, (0x8000 | len(body)).to_bytes(2, "big") + body)
        assert answer is None or answer.kind == ALERT


def test_groups_of_less_than_128_bits_are_not_taken() -> None:
    """As one with an RSA key tells: an ECDSA key is a point on P-256, which must be offered in any case."""
    context = serving(KEYS["rsa"][0])
    taken = set()
    for group in range(1, 64):
        answer = answered(context, hello(TLS_1_2, sorted(RSA), groups=[group]))
        assert answer is not None
        if answer.kind == HANDSHAKE:
            taken.add(group)
    assert taken == STRONG


@pytest.mark.parametrize("signatures", [(0x0203, 0x0201), (0x0101, 0x0103), (0x0202,)])
def test_a_client_that_knows_sha_1_or_md5_alone_is_not_taken(
    served: Served, signatures: Sequence[int]
) -> None:
    context, suites = served
    answer = answered(context, hello(TLS_1_2, sorted(suites), signatures=signatures))
    assert answer is not None
    assert answer.kind == ALERT


def test_nothing_is_compressed_resumed_or_kept_alive_by_tls(served: Served) -> None:
    """CRIME, Ticketbleed and Heartbleed each need what is not offered."""
    context, suites = served
    tickets_and_heartbeats = ((35, b""), (15, b"\1"))
    asked = hello(TLS_1_2, sorted(suites), compressions=b"\1\0", more=tickets_and_heartbeats)
    answer = answered(context, asked)
    assert answer is not None
    assert answer.kind == HANDSHAKE
    assert answer.compression == 0
    assert not answer.extensions & {35, 15}
    assert 0xFF01 in answer.extensions  # what it says about renegotiation is secure (RFC 5746)
    beat = bytes([HEARTBEAT]) + b"\3\3" + vector(2, b"\1\x40\0")
    after = answered(context, asked, beat)
    assert after is not None
    assert after.kind == ALERT


def test_a_change_of_ciphers_that_comes_too_early_ends_the_connection(served: Served) -> None:
    """CVE-2014-0224."""
    context, suites = served
    early = bytes([CHANGE_CIPHER_SPEC]) + b"\3\3" + vector(2, b"\1")
    answer = answered(context, hello(TLS_1_2, sorted(suites)), early)
    assert answer is not None
    assert answer.kind == ALERT


def test_one_who_falls_back_though_both_can_do_better_is_told(served: Served) -> None:
    """RFC 7507: inappropriate_fallback."""
    context, suites = served
    answer = answered(context, hello(TLS_1_2, [*sorted(suites), FALLBACK]))
    assert answer is not None
    assert (answer.kind, answer.alert) == (ALERT, 86)

"""Who does not get in: each refused for its own reason, counted, told once in the log, and not for long."""

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
import struct
import threading
import time
from collections.abc import Awaitable, Callable

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku

from rcmon.telemetry.own import DECISIONS, FAILURES, HANDSHAKE_FAILURES
from rcmon.web.transport.wire import LINGER
from tests.access import pki
from tests.web.caller import head
from tests.web.pki import READER, ROOT, client, client_hello
from tests.web.serving import Serving, serving

OTHER_ROOT = pki.authority(pki.name("DC=ch", "CN=Other Root"))
SAME_NAME = pki.authority(pki.name("DC=ch", "CN=Root"))
DAY = dt.timedelta(days=1)
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
REFUSED = {
    "no_certificate": None,
    "unknown_ca": pki.entity(pki.name("DC=ch", "CN=reader"), OTHER_ROOT),
    "expired": pki.entity(pki.name("DC=ch", "CN=reader"), ROOT, begins=-2 * DAY, lasts=DAY),
    "not_yet_valid": pki.entity(pki.name("DC=ch", "CN=reader"), ROOT, begins=DAY),
    "wrong_purpose": pki.entity(pki.name("DC=ch", "CN=reader"), ROOT, eku=[Eku.SERVER_AUTH]),
    "bad_certificate": pki.entity(pki.name("DC=ch", "CN=reader"), SAME_NAME),
    "proxy_refused": pki.proxy(READER),
}


async def cannot_ask(served: Serving, credential: pki.Credential | None, context: ssl.SSLContext) -> None:
    """Hold that a client gets nothing; under TLS 1.3 it finds out at its first read."""
    with pytest.raises((OSError, asyncio.IncompleteReadError)):
        await (await served.call(credential, ssl=context)).ask("/small")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("reason", REFUSED)
async def test_a_certificate_that_tls_refuses(
    reason: str, version: ssl.TLSVersion, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "rcmon")
    async with serving(proxies=False) as served:
        await cannot_ask(served, REFUSED[reason], client(REFUSED[reason], version))
        assert served.failures() == {reason: 1.0}
        assert served.requests() == {}
        await served.until(lambda: not served.server.live)
    assert f"refused a connection from 127.0.0.1: {reason}: " in caplog.text


def hears_why(port: int, context: ssl.SSLContext, refused: threading.Event) -> str:
    """Send a request as if all were well, after it is not, and tell what the server says."""
    with socket.create_connection(("127.0.0.1", port)) as plain:
        plain.settimeout(300)
        with context.wrap_socket(plain, server_hostname="localhost") as sock:
            assert refused.wait(60)
            for _ in range(3):  # the first may arrive where nobody listens, the second fails for it
                sock.sendall(head("/small"))
            with pytest.raises(ssl.SSLError) as said:
                sock.recv(1000)
            return str(said.value.reason)


@pytest.mark.parametrize(
    ("reason", "alert"),
    [
        ("expired", "SSLV3_ALERT_CERTIFICATE_EXPIRED"),
        ("not_yet_valid", "SSLV3_ALERT_BAD_CERTIFICATE"),
        ("no_certificate", "TLSV13_ALERT_CERTIFICATE_REQUIRED"),
    ],
)
async def test_who_is_turned_away_hears_why_also_when_it_asks_meanwhile(reason: str, alert: str) -> None:
    """Under TLS 1.3 its handshake is over before ours: it may have asked, or may ask, and only then reads."""
    async with serving() as served:
        refused = threading.Event()
        context = client(REFUSED[reason], ssl.TLSVersion.TLSv1_3)
        asking = asyncio.create_task(asyncio.to_thread(hears_why, served.port, context, refused))
        await served.until(served.failures)
        refused.set()
        assert await asking == alert
        await served.until(lambda: not served.server.live)


async def test_who_is_turned_away_and_stays_is_cut_a_moment_later() -> None:
    async with serving() as served:
        context = client(REFUSED["expired"], ssl.TLSVersion.TLSv1_3)
        with socket.create_connection(("127.0.0.1", served.port)) as plain:
            shaking = asyncio.to_thread(context.wrap_socket, plain, server_hostname="localhost")
            with await shaking:
                await served.until(served.failures)
                (lingering,) = served.server.live
                assert lingering.wire.deadline <= time.monotonic() + LINGER
                lingering.wire.sweep(time.monotonic() + LINGER)
                await served.until(lambda: not served.server.live)


async def plain_http(served: Serving) -> None:
    caller = await served.call(ssl=None)
    await caller.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"HTTP" not in await caller.rest()


async def garbage(served: Serving) -> None:
    caller = await served.call(ssl=None)
    await caller.send(b"\x00" * 100)
    await caller.rest()


async def old_tls(served: Serving) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    await cannot_ask(served, None, context)


async def no_shared_cipher(served: Serving) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA")
    await cannot_ask(served, None, context)


async def distrust(served: Serving) -> None:
    """Shake hands by a socket: asyncio's streams keep the alert to themselves."""

    def shake_hands() -> None:
        with socket.create_connection(("127.0.0.1", served.port)) as sock:
            ssl.create_default_context().wrap_socket(sock, server_hostname="localhost")

    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.to_thread(shake_hands)


async def leave_at_once(served: Serving) -> None:
    await (await served.call(ssl=None)).close()


async def leave_half_way(served: Serving) -> None:
    caller = await served.call(ssl=None)
    await caller.send(client_hello()[:50])
    caller.writer.write_eof()
    await caller.rest()


async def reset_half_way(served: Serving) -> None:
    caller = await served.call(ssl=None)
    await caller.send(client_hello())
    await caller.reader.readexactly(100)  # the answer is under way
    sock = caller.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await caller.close()


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (plain_http, "protocol"),
        (garbage, "protocol"),
        (old_tls, "protocol"),
        (no_shared_cipher, "protocol"),
        (distrust, "client_alert"),
        (leave_at_once, "closed"),
        (leave_half_way, "closed"),
        (reset_half_way, "closed"),
    ],
)
async def test_a_client_that_does_not_speak_tls_to_the_end(
    behave: Callable[[Serving], Awaitable[None]], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "rcmon")
    async with serving() as served:
        await behave(served)
        await served.until(served.failures)
        await served.until(lambda: not served.server.live)
        assert served.failures() == {reason: 1.0}
    assert ("refused" in caplog.text) == (reason != "closed")


async def test_a_silent_client_is_cut() -> None:
    async with serving(handshake_timeout=0.2) as served:
        caller = await served.call(ssl=None)
        await served.until(lambda: not served.server.live)
        assert await caller.rest() == b""
        assert served.failures() == {"timeout": 1.0}


async def test_a_dripping_client_is_cut() -> None:
    """Each byte is progress; the handshake as a whole has the deadline."""
    async with serving(handshake_timeout=0.5) as served:
        caller = await served.call(ssl=None)
        with contextlib.suppress(OSError):
            for byte in client_hello():
                await caller.send(bytes([byte]))
                served.server.tick()
                await asyncio.sleep(0.02)
        await served.until(lambda: not served.server.live)
        assert served.failures() == {"timeout": 1.0}


async def test_a_handshake_in_time_is_not_cut_later() -> None:
    async with serving(handshake_timeout=60, request_timeout=600, idle_timeout=600) as served:
        caller = await served.call()
        (connection,) = served.server.live
        await served.until(lambda: connection.wire.deadline > time.monotonic() + 120)
        connection.wire.sweep(time.monotonic() + 120)
        assert await caller.is_open()


def test_every_reason_of_tls_is_provoked_here() -> None:
    """Two cannot be: CRLs are read behind the handshake, and `other` is for what nobody thought of."""
    provoked = {*REFUSED, "protocol", "client_alert", "closed", "timeout", "limit"}
    assert set(HANDSHAKE_FAILURES) - provoked == {"revoked", "other"}
    assert set(HANDSHAKE_FAILURES) <= set(FAILURES)


@pytest.mark.parametrize("short", [True, False])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_a_chain_that_proves_nobody_is_told_why(short: bool, method: str) -> None:
    """TLS takes the proxy, the rules about identities do not; no handler is reached."""
    async with serving(short=short) as served:
        caller = await served.call(pki.proxy(READER, language=pki.INDEPENDENT))
        await caller.send(head("/small", "Content-Length: 3000000", method=method) + b"a" * 3_000_000)
        answer = await caller.answer(method)
        assert answer.status == 403
        assert answer.fields["content-type"] == "application/problem+json"
        assert answer.fields["connection"] == "close"
        assert (b"proves no identity" in answer.body) == (method != "HEAD")
        await caller.close()
        assert served.failures() == {"proxy_policy": 1.0}
        assert served.replayed == 0
        assert served.requests() == {("other", method, "403"): 1.0}
        assert not served.counted(DECISIONS)


async def test_a_chain_that_proves_nobody_is_cut_when_it_asks_nothing() -> None:
    async with serving(request_timeout=0.2) as served:
        caller = await served.call(pki.proxy(READER, language=pki.INDEPENDENT))
        await served.until(lambda: not served.server.live)
        assert await caller.rest() == b""
        assert served.requests() == {}


async def test_a_server_that_lost_its_tls_context_serves_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as served:
        served.server.ssl_options = None
        caller = await served.call(ssl=None)
        await caller.send(head("/small"))
        assert await caller.rest() == b""
        assert served.requests() == {}
    assert "the server has no TLS context" in caplog.text


@pytest.mark.parametrize("short", [True, False])
@pytest.mark.parametrize("who", [pki.proxy(READER, language=pki.INDEPENDENT), READER])
async def test_who_is_turned_away_in_the_middle_of_a_body_can_read_why(
    short: bool, who: pki.Credential
) -> None:
    """One for its certificate, one for the body's length; a reset would break their sending."""

    def visit(port: int) -> bytes:
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            client(who).wrap_socket(plain) as secure,
        ):
            secure.sendall(head("/echo", "Content-Length: 4000000", method="POST"))
            for _ in range(40):
                secure.sendall(b"a" * 100_000)
            return secure.recv(12)

    async with serving(short=short) as served:
        expected = b"HTTP/1.1 413" if who is READER else b"HTTP/1.1 403"
        assert await asyncio.to_thread(visit, served.port) == expected

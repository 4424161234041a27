"""Between accept and handshake: whatever happens to a socket is counted, told in a line, harms no other."""

import asyncio
import errno
import resource
import socket
import ssl
import struct
from pathlib import Path
from typing import Any

import pytest

from rcmon.telemetry.own import CONNECTIONS, CONNECTIONS_ACCEPTED
from rcmon.web.transport import throttle
from rcmon.web.transport.acceptor import OF_ONE_CONNECTION, Acceptor
from tests.web.pki import READER, client, client_hello
from tests.web.serving import serving

PROBES = 20


def probe(port: int, data: bytes = b"") -> None:
    """Connect, say something, and reset the connection, all before anybody can accept it."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        if data:
            sock.sendall(data)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize("data", [b"", b"x", client_hello()], ids=["nothing", "a byte", "a hello"])
async def test_probes_that_end_by_reset(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """As a load balancer's health checks do: anyone without a certificate could fill the log by them."""
    caplog.set_level("INFO")
    async with serving() as served:
        for _ in range(PROBES):
            probe(served.port, data)
        await served.until(lambda: served.failures() == {"closed": PROBES})
        assert await (await served.call()).is_open()
        assert served.totals.value(CONNECTIONS_ACCEPTED) == PROBES + 1
    assert served.totals.value(CONNECTIONS) == 0
    assert caplog.messages == []


class Failing(ssl.SSLContext):
    """A context that fails as OpenSSL, Python and the kernel may, to cause that."""

    error: Exception

    def wrap_socket(self, *_: Any, **__: Any) -> ssl.SSLSocket:  # type: ignore[override]
        raise self.error


PREMATURE = ssl.SSLError(1, "Closed before TLS handshake with data in recv buffer.")
PREMATURE.reason = "Closed before TLS handshake with data in recv buffer."


@pytest.mark.parametrize(
    ("error", "reason", "lines"),
    [
        (ConnectionResetError(errno.ECONNRESET, "reset"), "closed", 0),
        (ConnectionAbortedError(errno.ECONNABORTED, "aborted"), "closed", 0),
        (OSError(errno.EINVAL, "invalid"), "closed", 0),
        (OSError(errno.ENOTCONN, "not connected"), "closed", 0),
        (OSError(errno.ENOMEM, "no memory"), "limit", 1),
        (OSError(errno.EMFILE, "too many files"), "limit", 1),
        (ssl.SSLEOFError(8, "EOF"), "closed", 0),
        (PREMATURE, "protocol", 1),
        (ValueError("odd"), "other", 1),
        (RuntimeError("a bug of ours"), "other", 2),
    ],
    ids=repr,
)
async def test_whatever_fails_is_counted_and_told_in_few_lines(
    error: Exception, reason: str, lines: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with serving() as served:
        good, failing = served.server.ssl_options, Failing(ssl.PROTOCOL_TLS_SERVER)
        failing.error = error
        served.server.ssl_options = failing
        for _ in range(PROBES):
            assert await (await served.call(ssl=None)).rest() == b""
        assert served.failures() == {reason: PROBES}
        assert served.totals.value(CONNECTIONS) == 0
        served.server.ssl_options = good
        assert await (await served.call()).is_open()
    kinds = {record.message.partition(":")[0] for record in caplog.records}
    told = [record for record in caplog.records if record.name != throttle.__name__]
    assert len(told) <= 5 * lines
    assert len([record for record in told if record.exc_info]) == (
        1 if isinstance(error, RuntimeError) else 0
    )
    assert bool(kinds) == bool(lines)


class Broken(socket.socket):
    """A listening socket whose accept fails as the kernel's may, to cause that."""

    errors: list[OSError]

    def accept(self) -> tuple[socket.socket, Any]:
        if self.errors:
            raise self.errors.pop(0)
        return super().accept()


def broken(*errors: int) -> Broken:
    sock = Broken(socket.AF_INET, socket.SOCK_STREAM)
    sock.errors = [OSError(error, "meant to fail") for error in errors]
    sock.bind(("127.0.0.1", 0))
    sock.listen(64)
    sock.setblocking(False)
    return sock


@pytest.mark.parametrize("error", [*sorted(OF_ONE_CONNECTION), errno.EMFILE, errno.ENFILE, 9999])
async def test_accepting_goes_on_after_any_error(error: int) -> None:
    sock = broken(error)
    failed: list[OSError] = []
    taken = asyncio.Event()

    def take(connection: socket.socket, _: object) -> None:
        connection.close()
        taken.set()

    acceptor = Acceptor([sock], take, failed.append)
    try:
        with socket.create_connection(sock.getsockname()):
            async with asyncio.timeout(300):
                await taken.wait()
    finally:
        acceptor.close()
    assert [one.errno for one in failed] == [error]


async def test_an_error_that_stays_does_not_spin() -> None:
    """Without a free descriptor every try fails, some ten thousand times a second if nothing stops it."""
    sock = broken(*[errno.EMFILE] * 100_000)
    failed: list[OSError] = []
    acceptor = Acceptor([sock], lambda *_: None, failed.append)
    try:
        with socket.create_connection(sock.getsockname()):
            for _ in range(1000):
                await asyncio.sleep(0)
            assert len(failed) <= 2
    finally:
        acceptor.close()  # in the midst of a pause


@pytest.mark.alone
async def test_no_free_descriptor_delays_a_client_and_refuses_nobody() -> None:
    async with serving() as served:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with socket.create_connection(("127.0.0.1", served.port)) as sock:
            taken = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
            spares = fill(taken)
            resource.setrlimit(resource.RLIMIT_NOFILE, (taken + 1, hard))
            try:
                await served.until(lambda: served.failures().get("limit"))
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
                for spare in spares:
                    spare.close()
            sock.setblocking(False)
            caller = await served.call(
                READER, sock=sock.dup(), ssl=client(READER), server_hostname="localhost"
            )
            assert await caller.is_open()


def fill(last: int) -> list[socket.socket]:
    """Take every descriptor that is free below the last one."""
    spares: list[socket.socket] = []
    while not spares or spares[-1].fileno() <= last:
        spares.append(socket.socket())
    spares.pop().close()
    return spares

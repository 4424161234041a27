"""How connections end: quietly whatever clients do, and leaving nothing behind."""

import asyncio
import errno
import gc
import logging
import os
import random
import socket
import ssl
import struct
import weakref

import pytest
from tornado.iostream import StreamClosedError

from tests.web.caller import Caller, head
from tests.web.pki import READER, client
from tests.web.serving import serving

both_ways = pytest.mark.parametrize("short", [True, False], ids=["short way", "Tornado's way"])
RESET = struct.pack("ii", 1, 0)


async def kill(caller: Caller) -> None:
    """End a connection as a process does that is killed with unread data: by a reset."""
    caller.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    await caller.close()


def noise(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Give what was logged as more than a matter of course."""
    return [record.getMessage() for record in caplog.records if record.levelno > logging.INFO]


@both_ways
async def test_clients_that_are_killed_make_no_noise(short: bool, caplog: pytest.LogCaptureFixture) -> None:
    """At any moment: before and behind requests, in heads and bodies, under large answers."""
    order = random.Random(5)
    async with serving(short=short) as served:
        for _ in range(60):
            caller = await served.call()
            await caller.send(
                order.choice(
                    [
                        b"",
                        head("/small"),
                        head("/small") * 200,
                        head("/large"),
                        head("/large") * 3,
                        head("/small")[:30],
                        head("/echo", "Content-Length: 100000", method="POST") + b"a" * 5000,
                        head("/slow"),
                    ]
                )
            )
            for _ in range(order.randrange(4)):
                await asyncio.sleep(0)
            await order.choice([kill, Caller.close])(caller)
        served.pause.go_on.set()
        await served.until(lambda: not served.server.live)
        assert await (await served.call()).is_open()
    assert noise(caplog) == []
    assert set(served.failures()) <= {"closed"}


@both_ways
async def test_a_client_that_is_gone_when_its_answer_comes(
    short: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        await caller.send(head("/slow") + head("/small") * 3)
        await served.pause.began.wait()
        await kill(caller)
        await asyncio.sleep(0.05)
        served.pause.go_on.set()
        await served.until(lambda: not served.server.live)
        await served.until(served.requests)
        assert served.requests() == {("/slow", "GET", "200"): 1.0}
    assert noise(caplog) == []


@both_ways
async def test_a_broken_record_ends_the_connection(short: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Bytes that TLS cannot decrypt: of a broken network, or of somebody in between."""
    async with serving(short=short) as served:
        caller = await served.call()
        assert await caller.is_open()
        os.write(caller.writer.get_extra_info("socket").fileno(), b"\x17\x03\x03\x00\x20" + b"x" * 32)
        await served.until(lambda: not served.server.live)
    assert noise(caplog) == []


@both_ways
async def test_a_connection_goes_without_the_garbage_collector(short: bool) -> None:
    """Else thousands of closed ones would wait in memory for it."""
    async with serving(short=short) as served:
        caller = await served.call()
        for _ in range(2):
            await caller.ask("/small")
        (connection,) = served.server.live
        left = [weakref.ref(connection), weakref.ref(connection.wire), weakref.ref(connection.wire.stream)]
        del connection
        gc.collect()
        gc.disable()
        try:
            await caller.close()
            await served.until(lambda: not served.server.live)
            await served.until(lambda: not any(ref() for ref in left))
        finally:
            gc.enable()


async def test_a_connection_inherits_what_was_set_on_the_listening_socket() -> None:
    """One system call for each option at the start, none for each connection."""
    async with serving(write_timeout=7.5) as served:
        await served.call()
        (connection,) = served.server.live
        sock = connection.wire.stream.socket
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 7500
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == 128 * 1024
        assert connection.wire.stream.read_chunk_size == 8192


@both_ways
@pytest.mark.parametrize("path", ["/small", "/middle", "/large"])
async def test_a_write_that_fails_ends_the_connection(
    short: bool, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The kernel may refuse any; a double causes it."""

    def refuse(data: memoryview) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    async with serving(short=short) as served:
        caller = await served.call()
        for _ in range(2):
            await caller.ask(path)
        (connection,) = served.server.live
        connection.wire.stream.write_to_fd = refuse  # type: ignore[method-assign]
        await caller.send(head(path) * 2)
        assert await caller.rest() == b""
        assert not served.server.live
        assert served.requests() == {(path, "GET", "200"): 3.0}
    assert noise(caplog) == []


@both_ways
@pytest.mark.parametrize(
    "data",
    [
        head("/small", "Connection: close"),
        head("/large", "Connection: close"),
        head("/small", version="1.0"),
        head("/small"),
        head("/nowhere", "Connection: close"),
        b"nonsense\r\n\r\n",
    ],
)
async def test_the_server_says_goodbye(short: bool, data: bytes) -> None:
    """Else OpenSSL's clients, such as `ab`, take every end for a cut: unexpected eof while reading."""

    def visit(port: int) -> bytes:
        received = b""
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            client().wrap_socket(plain, suppress_ragged_eofs=False) as secure,
        ):
            secure.sendall(data)
            while piece := secure.recv(65536):  # a cut raises SSLEOFError
                received += piece
        return received

    async with serving(short=short, idle_timeout=0.1) as served:
        visiting = asyncio.create_task(asyncio.to_thread(visit, served.port))
        await served.until(visiting.done)
        assert visiting.result().startswith(b"HTTP/1.1 ")


async def test_under_tls_1_2_no_session_outlives_its_connection() -> None:
    """A goodbye would keep it in OpenSSL's memory; a resumed session hides the chain."""

    def visit(port: int) -> list[bool | None]:
        context, found, session = client(READER, ssl.TLSVersion.TLSv1_2), [], None
        for _ in range(3):
            with (
                socket.create_connection(("127.0.0.1", port)) as plain,
                context.wrap_socket(plain, session=session) as secure,
            ):
                secure.sendall(head("/small", "Connection: close"))
                while secure.recv(65536):
                    pass
                found.append(secure.session_reused)
                session = secure.session
        return found

    async with serving() as served:
        assert await asyncio.to_thread(visit, served.port) == [False, False, False]


async def test_nothing_is_sent_to_who_is_gone() -> None:
    async with serving() as served:
        caller = await served.call()
        assert await caller.is_open()
        (connection,) = served.server.live
        connection.wire.stream.close()
        with pytest.raises(StreamClosedError):
            connection.wire.send(b"late")

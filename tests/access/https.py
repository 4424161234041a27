"""A small Tornado server behind the gate, in a thread of its own, and a client that tells what it met."""

import asyncio
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream, SSLIOStream, StreamClosedError
from tornado.web import Application, RequestHandler

from rcmon.access.handshake.sessions import SessionChains
from rcmon.access.trust import Trust
from rcmon.errors import IdentityError

PATIENCE = 20.0
"""Seconds a step may take on a busy machine."""


class Met(Struct, frozen=True):
    """What became of one connection."""

    tls: str | None = None
    """Why the server broke off the handshake."""
    refused: str | None = None
    """Why the gate refused the identity."""
    subject: str | None = None
    issuer: str | None = None
    roles: frozenset[str] = frozenset()
    limited: bool = False


class Whoami(RequestHandler):
    """Answers what the gate says of the connection, now."""

    def initialize(self, trust: Trust, clock: Callable[[], float]) -> None:
        self.trust, self.clock = trust, clock

    def get(self) -> None:
        stream = self.request.connection.stream  # type: ignore[union-attr]
        try:
            if not hasattr(stream, "identity"):
                stream.identity = self.trust.gate.admit(stream.chain)
        except IdentityError as error:
            self.write({"refused": error.reason})
            return
        identity = stream.identity
        decision = self.trust.gate.decide(identity, self.clock())
        self.write(
            {
                "refused": decision.refusal,
                "subject": str(identity.subject),
                "issuer": str(identity.issuer),
                "roles": sorted(decision.roles),
                "limited": identity.limited,
            }
        )


class Server(HTTPServer):
    """Remembers why handshakes failed, by the client's port."""

    failures: dict[int, str]
    chains: SessionChains

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        asyncio.ensure_future(self._after_handshake(stream, address))  # noqa: RUF006 - the loop's end ends it

    async def _after_handshake(self, stream: IOStream, address: Any) -> None:
        assert isinstance(stream, SSLIOStream)
        try:
            await stream.wait_for_handshake()
        except (StreamClosedError, ssl.SSLError) as error:
            cause = getattr(error, "real_error", error) or stream.error
            self.failures[address[1]] = getattr(cause, "verify_message", "") or str(cause)
            return
        stream.chain = self.chains.chain_of(stream.socket)  # type: ignore[attr-defined]
        super().handle_stream(stream, address)


class Running:
    """The server's thread, as the tests see it."""

    def __init__(self, trust: Trust, port: int, loop: asyncio.AbstractEventLoop, server: Server) -> None:
        self.trust, self.port, self.loop, self.server = trust, port, loop, server

    def check(self) -> None:
        """Let the server look at its files now."""
        asyncio.run_coroutine_threadsafe(self._check(), self.loop).result(PATIENCE)

    async def _check(self) -> None:
        await self.trust.check()
        self.server.ssl_options = self.trust.context

    def failure(self, port: int) -> str:
        """Wait for the server's account of a handshake that failed."""
        end = time.monotonic() + PATIENCE
        while port not in self.server.failures and time.monotonic() < end:
            time.sleep(0.002)
        return self.server.failures.pop(port)

    def meet(self, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> Met:
        """Connect once and ask who we are."""
        with Visit(self, context, session) as visit:
            return visit.ask()


class Visit:
    """One connection to the server, which may ask more than once."""

    def __init__(
        self, running: Running, context: ssl.SSLContext, session: ssl.SSLSession | None = None
    ) -> None:
        self._running = running
        raw = socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE)
        self._port = raw.getsockname()[1]
        self.error: str | None = None
        self._raw: socket.socket = raw
        try:
            self._raw = self.tls = context.wrap_socket(raw, session=session, suppress_ragged_eofs=False)
        except (ssl.SSLError, ConnectionError):
            self.error = running.failure(self._port)

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    def ask(self) -> Met:
        if self.error is None:
            try:
                return self._answer()
            except (ssl.SSLError, ConnectionError):  # with TLS 1.3 a client learns of it here
                self.error = self._running.failure(self._port)
        return Met(tls=self.error)

    def _answer(self) -> Met:
        self.tls.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head, _, body = self._read_until(b"\r\n\r\n").partition(b"\r\n\r\n")
        length = next(
            int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        )
        while len(body) < length:
            body += self.tls.recv(65536)
        answer = json.loads(body)
        return Met(**{**answer, "roles": frozenset(answer.get("roles", ()))})

    def _read_until(self, end: bytes) -> bytes:
        data = b""
        while end not in data:
            more = self.tls.recv(65536)
            if not more:
                raise ConnectionResetError("the server closed the connection without an answer")
            data += more
        return data


def client_with(path: Path | None, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """Build a client's context for a file that holds everything, of one TLS version or any."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # weak certificates are the server's to refuse
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if path is not None:
        context.load_cert_chain(path)
    return context


@contextmanager
def serving(trust: Trust, clock: Callable[[], float] = time.time) -> Iterator[Running]:
    """Serve until the block ends."""
    ready: list[Running] = []
    started, stop = threading.Event(), threading.Event()

    async def run() -> None:
        server = Server(
            Application([("/", Whoami, {"trust": trust, "clock": clock})]), ssl_options=trust.context
        )
        server.failures, server.chains = {}, SessionChains(PATIENCE)
        server.listen(0, "127.0.0.1")
        port = next(iter(server._sockets.values())).getsockname()[1]
        ready.append(Running(trust, port, asyncio.get_running_loop(), server))
        started.set()
        await asyncio.to_thread(stop.wait)
        server.stop()
        await server.close_all_connections()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    assert started.wait(PATIENCE)
    try:
        yield ready[0]
    finally:
        stop.set()
        thread.join(PATIENCE)

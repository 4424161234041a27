"""One client's connection: handshake, identity, then request after request.

A request with a canonical head for a route whose answers are ready takes the short way: the same handler
class, synchronously, without Tornado's parser. Any other head is replayed into Tornado's own HTTP/1
connection, so bodies, errors, asynchronous handlers and odd clients have one true parser.
"""

import asyncio
import math
import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tornado.http1connection import HTTP1Connection
from tornado.iostream import SSLIOStream, StreamClosedError

from rcmon.access.tls import verified_chain
from rcmon.errors import IdentityError
from rcmon.web import heads, problems
from rcmon.web.counters import OTHER_ROUTE
from rcmon.web.exchange import Exchange
from rcmon.web.headers import SECURITY, lines
from rcmon.web.peer import Peer
from rcmon.web.refusals import reason_of

if TYPE_CHECKING:
    from rcmon.web.server import Server

_HEAD_END = b"\r?\n\r?\n"
_HEAD_SIZE = 65536
_CHUNK = 65536
_CONNECTION = {
    # (HTTP/1.0, stays open): RFC 9112, 9.3
    (False, True): b"\r\n",
    (False, False): b"Connection: close\r\n\r\n",
    (True, True): b"Connection: Keep-Alive\r\n\r\n",
    (True, False): b"\r\n",
}
_YIELD_EVERY = 32
"""So many requests or chunks of one connection, then the others have a turn."""


class Replay:
    """The stream with one head already read, for Tornado's parser; it counts the bytes that are written."""

    def __init__(self, stream: SSLIOStream, head: bytes) -> None:
        self._stream, self._head = stream, head
        self.written = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def set_nodelay(self, value: bool) -> None:  # noqa: FBT001 - the signature is Tornado's
        """Leave it on: it was set for the whole connection."""

    def write(self, data: bytes | memoryview) -> "asyncio.Future[None]":
        """Write and count."""
        self.written += len(data)
        return self._stream.write(data)

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> "asyncio.Future[bytes]":  # noqa: ARG002
        """Give the head that was read."""
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        future.set_result(self._head)
        return future


class Connection:
    """A connection on both ways; on the short way it is the `connection` of the handler's request."""

    short = True

    def __init__(self, server: "Server", stream: SSLIOStream, address: tuple[str, int]) -> None:
        self.server, self.stream = server, stream
        self.context = Peer(address[0], server.gate, server.tally)
        self.deadline = time.monotonic() + server.limits.handshake_timeout
        """When the sweep closes the connection; infinite while a request is under way."""
        self.admitted = False
        self.timed_out = False
        self.task: asyncio.Task[None] | None = None
        self._out: tuple[bytes, tuple[bytes, ...]] | None = None
        self._large: tuple[Exchange, Iterator[memoryview]] | None = None
        """An answer too large for one write: its exchange, with the begin as seconds, and what is left."""
        self._head, self._parsed = b"", heads.parse(b"")
        self._request: heads.ShortRequest | None = None
        self._answered = False
        self._quiet_reads()

    def _quiet_reads(self) -> None:
        """After an answer wait for the poller: no recv that finds nothing, and the others have a turn."""
        receive, sock = self.stream.read_from_fd, self.stream.socket

        def read_from_fd(buf: bytearray | memoryview) -> int | None:
            if self._answered:
                self._answered = False
                if not sock.pending():
                    return None
            return receive(buf)

        self.stream.read_from_fd = read_from_fd  # type: ignore[method-assign]  # meant to be overridden

    async def serve(self) -> None:
        """Serve the connection until it ends; never raises for what a client does."""
        try:
            if await self._admit():
                await self._requests()
        except StreamClosedError as error:
            if not self.admitted:
                reason = "timeout" if self.timed_out else reason_of(error.real_error or self.stream.error)
                self.server.refused(reason, self.context.remote_ip)
        finally:
            self.stream.close()
            self.server.forget(self)

    async def _admit(self) -> bool:
        """Finish the handshake and take the identity from the verified chain, once per connection."""
        self.stream.set_nodelay(True)
        await self.stream.wait_for_handshake()
        sock = self.stream.socket
        # without tickets a client with Nagle's algorithm would stall for the delayed acknowledgement
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        try:
            self.context.admitted(self.server.gate.admit(verified_chain(sock) or ()))
        except IdentityError as error:
            self.context.refused(str(error))
            self.server.refused(error.reason, self.context.remote_ip, str(error))
        self.admitted = True
        self.deadline = time.monotonic() + self.server.limits.request_timeout
        return self.server.welcome(self)

    async def _requests(self) -> None:
        """Answer requests one after the other, in their order, however many are pipelined."""
        server, stream, served = self.server, self.stream, 0
        while True:
            head = await stream.read_until_regex(_HEAD_END, max_bytes=_HEAD_SIZE)
            if self.context.refusal is not None:
                await self._turn_away(self.context.refusal)
                return
            self.deadline = math.inf
            keep = self._short_way(head) if server.short_way else None
            if keep is None:
                keep = await self._stock(head)
            else:
                await self._drained()
            if not keep or server.closing:
                return
            self.deadline = time.monotonic() + server.idle_timeout
            self._answered = True
            served += 1
            if served % _YIELD_EVERY == 0:
                await asyncio.sleep(0)

    async def _turn_away(self, refusal: str) -> None:
        """Tell who is nobody why, whatever was asked: no handler ever sees this connection."""
        body = problems.document(403, f"This certificate proves no identity: {refusal}", "", {})
        fields = (*SECURITY, ("Content-Type", problems.MEDIA_TYPE), ("Content-Length", str(len(body))))
        head = b"HTTP/1.1 403 Forbidden\r\n" + lines(fields) + self.server.date + _CONNECTION[False, False]
        self.deadline = time.monotonic() + self.server.limits.write_timeout
        await self.stream.write(head + body)
        self.server.answered(self.context, Exchange(OTHER_ROUTE, "other", 403, len(head + body), 0.0))

    def put(self, head: bytes, parts: tuple[bytes, ...]) -> None:
        """Take a ready answer from a handler: status line and fields, each with its CRLF, and the body."""
        self._out = (head, parts)

    def _short_way(self, head: bytes) -> bool | None:
        """Answer from ready bytes: whether the connection stays open; None: nothing was written."""
        if head != self._head:
            self._parsed, self._head = heads.parse(head), head
            if self._parsed is not None:
                self._request = heads.ShortRequest(self, self._parsed)
        parsed, request = self._parsed, self._request
        if parsed is None or request is None:
            return None
        handler_class = self.server.short_routes.get(parsed.path)
        if handler_class is None:
            return None
        start = time.perf_counter()
        self._out = None
        handler = handler_class(self.server.application, request)
        try:
            handler.get()
        except Exception:  # noqa: BLE001 - Tornado runs it again and makes, logs and counts the error's answer
            return None
        out = self._taken()
        if out is None:
            return None
        self.server.decided(handler)
        return self._write(parsed, handler.route, start, out)

    def _taken(self) -> tuple[bytes, tuple[bytes, ...]] | None:
        return self._out

    def _write(
        self, parsed: heads.Head, route: str, start: float, out: tuple[bytes, tuple[bytes, ...]]
    ) -> bool:
        head, parts = out
        status = int(head[9:12])
        keep = parsed.keep and not self.server.draining
        lead = head + self.server.date + _CONNECTION[parsed.version == "HTTP/1.0", keep]
        if parsed.method == "HEAD":
            parts = ()
        if sum(map(len, parts)) <= _CHUNK:
            size = self._send(b"".join((lead, *parts)))
            seconds = time.perf_counter() - start
            self.server.answered(self.context, Exchange(route, parsed.method, status, size, seconds))
        else:
            self._large = Exchange(route, parsed.method, status, self._send(lead), start), pieces(parts)
        return keep

    def _send(self, data: bytes | memoryview) -> int:
        """Write past the stream's buffer where that is empty; return how many bytes were given."""
        stream = self.stream
        sent = 0 if stream.writing() else stream.write_to_fd(memoryview(data))
        if sent < len(data):
            stream.write(memoryview(data)[sent:])
        return len(data)

    async def _drained(self) -> None:
        """Write what is left, piece after piece as the client takes them: a slow reader costs one piece."""
        large, self._large = self._large, None
        if large is None:
            if self.stream.writing():
                await self._written()
            return
        exchange, rest = large
        for number, piece in enumerate(rest):
            exchange.size += self._send(piece)
            if self.stream.writing():
                await self._written()
            elif number % _YIELD_EVERY == _YIELD_EVERY - 1:
                await asyncio.sleep(0)
        exchange.seconds = time.perf_counter() - exchange.seconds
        self.server.answered(self.context, exchange)

    async def _written(self) -> None:
        self.deadline = time.monotonic() + self.server.limits.write_timeout
        await self.stream.write(b"")

    async def _stock(self, head: bytes) -> bool:
        """Let Tornado answer; returns whether the connection stays open."""
        replay, start = Replay(self.stream, head), time.perf_counter()
        # Replay offers what Tornado uses of a stream
        connection = HTTP1Connection(replay, False, self.server.parameters, self.context)  # type: ignore[arg-type]  # noqa: FBT003
        keep = await connection.read_response(self.server.start_request(self, connection))
        route, method, status = self.context.answered or (OTHER_ROUTE, "other", 400)
        self.context.answered = None
        if replay.written:  # else it was cut before an answer
            seconds = time.perf_counter() - start
            self.server.answered(self.context, Exchange(route, method, status, replay.written, seconds))
        return keep

    def close(self) -> None:
        """Cut the connection."""
        self.stream.close()


def pieces(parts: tuple[bytes, ...]) -> Iterator[memoryview]:
    """Cut a body into pieces of at most _CHUNK bytes, without copying it."""
    for part in parts:
        view = memoryview(part)
        for start in range(0, len(view), _CHUNK):
            yield view[start : start + _CHUNK]

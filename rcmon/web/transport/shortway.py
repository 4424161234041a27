"""The short way: a plain request is answered at once, from ready bytes, without Tornado's parser.

The handlers are those of Tornado's way, under the same role check. They run synchronously and may run
twice: whatever goes wrong here leaves the request, of which nothing was answered yet, to Tornado.
"""

import asyncio
import time
from collections.abc import Iterator

from rcmon.web.base import Handler
from rcmon.web.transport import heads
from rcmon.web.transport.exchange import Exchange
from rcmon.web.transport.host import Host
from rcmon.web.transport.peer import Peer
from rcmon.web.transport.wire import Wire

Parts = tuple[bytes, ...]

_AT_ONCE = 64 * 1024
"""Bytes of a body that are written in one go, and the size of a larger one's pieces."""
_TURN = 16
"""So many pieces are written, then other connections have a turn."""
_REMEMBERED = 4096
"""A longer head is not remembered: every connection holds one."""
_ENDS = {
    # (HTTP/1.0, stays open): RFC 9112, 9.3
    (False, True): b"\r\n",
    (False, False): b"Connection: close\r\n\r\n",
    (True, True): b"Connection: Keep-Alive\r\n\r\n",
    (True, False): b"\r\n",
}


class Asked:
    """A plain request and the handler that answers it."""

    __slots__ = ("handler", "keep", "method", "old", "request")

    def __init__(self, handler: type[Handler], head: heads.Head, way: "ShortWay") -> None:
        self.handler, self.method, self.keep = handler, head.method, head.keep
        self.old = head.version == "HTTP/1.0"
        self.request = heads.ShortRequest(way, head)


class ShortWay:
    """One connection's short way; it is the `connection` of its handlers' requests."""

    short = True

    def __init__(self, server: Host, wire: Wire, peer: Peer) -> None:
        self._server, self._wire, self.context = server, wire, peer
        self._head = b""
        """The last plain head: a client mostly repeats itself."""
        self._asked: Asked | None = None
        """What that one asks."""
        self._out: tuple[bytes, Parts] | None = None
        self._large: tuple[Exchange, Iterator[bytes | memoryview]] | None = None
        """What `pour` is to write."""

    def put(self, head: bytes, parts: Parts) -> None:
        """Take a ready answer from a handler: status line and fields, each with its CRLF, and the body."""
        self._out = head, parts

    def again(self, head: bytes) -> bool:
        """Answer if this is the last head once more and the answer is small; tells whether it did.

        Not while an earlier answer waits to be taken. Raises StreamClosedError when the client is gone.
        """
        asked = self._asked
        if head != self._head or asked is None or self._server.draining or self._wire.stream.writing():
            return False
        begin = time.perf_counter()
        answer = self._run(asked)
        if answer is None or sum(map(len, answer[1])) > _AT_ONCE:
            return False
        self._write(asked, answer, begin, keep=True)
        return True

    def answer(self, head: bytes) -> bool | None:
        """Answer: whether the connection stays open; None: nothing was written, it is for Tornado.

        `pour` must follow. Raises StreamClosedError when the client is gone.
        """
        asked = self._asked if head == self._head else self._read(head)
        if asked is None:
            return None
        begin = time.perf_counter()
        answer = self._run(asked)
        if answer is None:
            return None
        keep = asked.keep and not self._server.draining
        self._write(asked, answer, begin, keep=keep)
        return keep

    async def pour(self) -> None:
        """Write a large answer as the client takes it: a slow reader costs one piece."""
        large, self._large = self._large, None
        if large is None:
            return
        exchange, pieces = large
        try:
            for number, piece in enumerate(pieces, 1):
                exchange.size += len(piece)
                self._wire.send(piece)
                await self._wire.flushed()
                if number % _TURN == 0:
                    await asyncio.sleep(0)
        finally:
            self._account(exchange)

    def forget(self) -> None:
        """Let go of the last request, which leads back here."""
        self._asked = None

    def _read(self, text: bytes) -> Asked | None:
        head = heads.parse(text)
        handler = self._server.short_routes.get(head.path) if head is not None else None
        if head is None or handler is None:
            return None
        asked = Asked(handler, head, self)
        if len(text) <= _REMEMBERED:
            self._head, self._asked = text, asked
        return asked

    def _run(self, asked: Asked) -> tuple[bytes, Parts] | None:
        """Let the handler answer; None: it did not, or failed."""
        try:
            handler = asked.handler(self._server.application, asked.request)
            handler.get()
        except Exception:  # noqa: BLE001 - Tornado runs it again and makes, logs and counts the error's answer
            self._out = None
            return None
        answer, self._out = self._out, None
        if answer is not None:
            self._server.decided(handler)
        return answer

    def _write(self, asked: Asked, answer: tuple[bytes, Parts], begin: float, *, keep: bool) -> None:
        """Write an answer, or leave it to `pour`."""
        head, parts = answer
        lead = head + self._server.date + _ENDS[asked.old, keep]
        exchange = Exchange(asked.handler.route, asked.method, int(head[9:12]), 0, begin)
        if asked.method == "HEAD":
            parts = ()
        if sum(map(len, parts)) > _AT_ONCE:
            self._large = exchange, _pieces((lead, *parts))
            return
        data = b"".join((lead, *parts))
        exchange.size = len(data)
        try:
            self._wire.send(data)
        finally:
            self._account(exchange)

    def _account(self, exchange: Exchange) -> None:
        """Count and log; until now `seconds` is when the exchange began."""
        exchange.seconds = time.perf_counter() - exchange.seconds
        self._server.answered(self.context, exchange)


def _pieces(parts: Parts) -> Iterator[memoryview]:
    """Cut an answer into pieces, without copying it."""
    for part in parts:
        view = memoryview(part)
        for start in range(0, len(view), _AT_ONCE):
            yield view[start : start + _AT_ONCE]

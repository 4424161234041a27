"""The short way: a plain request is answered at once, from ready bytes, without Tornado's parser.

The handlers are those of Tornado's way, under the same role check. They run synchronously and may run
twice: a request that is not answered here, of which nothing was sent yet, is left to Tornado, and counted.
"""

import asyncio
import inspect
import time
from collections.abc import Iterator

from rcmon.telemetry.own import SHORT_WAY_FALLBACKS
from rcmon.web.answers.negotiation import codings
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import Ready, matches
from rcmon.web.transport import heads
from rcmon.web.transport.exchange import Exchange
from rcmon.web.transport.peer import Peer
from rcmon.web.transport.request import Request
from rcmon.web.transport.said import said
from rcmon.web.transport.state import ServerState, ShortRoute
from rcmon.web.transport.wire import Wire

Parts = tuple[bytes, ...]

_AT_ONCE = 64 * 1024
"""Bytes of an answer that are joined and written in one go; of a larger one nothing is copied."""
_PIECE = 256 * 1024
"""A larger answer goes out in pieces of at most this size."""
_TURN = 4
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
    """A plain request: what answers it, and in which form it wants the answer."""

    __slots__ = ("acceptable", "answer", "held", "is_head", "keep", "old", "request", "route", "said")

    def __init__(self, short: ShortRoute, head: heads.Head, text: bytes, peer: Peer) -> None:
        self.request = Request(head.method, head.path, head.fields, peer)
        self.said = said(text)
        self.route, self.answer = short.route, short.bind(self.request)
        self.acceptable = codings(head.fields.get("accept-encoding"))
        self.held = head.fields.get("if-none-match")
        """ETags of what the client holds already."""
        self.is_head, self.keep, self.old = head.method == "HEAD", head.keep, head.version == "HTTP/1.0"


class ShortWay:
    """One connection's short way."""

    def __init__(self, state: ServerState, wire: Wire, peer: Peer) -> None:
        self._state, self._wire, self._peer = state, wire, peer
        self._head = b""
        """The last plain head: a client mostly repeats itself."""
        self._asked: Asked | None = None
        """What that one asks."""
        self._left = False
        """Whether `again` just found that this request is for Tornado."""
        self._large: tuple[Asked, Exchange, Iterator[bytes | memoryview]] | None = None
        """What `pour` is to write."""

    def again(self, head: bytes) -> bool:
        """Answer if this is the last head once more and the answer is small; tells whether it did.

        Not while an earlier answer waits to be taken. Raises StreamClosedError when the client is gone.
        """
        asked = self._asked
        if head != self._head or asked is None or self._state.draining or self._wire.stream.writing():
            return False
        if self._peer.bucket.left < 1.0:
            return False
        begin = time.perf_counter()
        answer = self._run(asked)
        self._left = answer is None
        if answer is None or sum(map(len, answer[1])) > _AT_ONCE:
            return False
        self._peer.bucket.left -= 1.0
        self._write(asked, answer, begin, keep=True)
        return True

    def answer(self, head: bytes) -> bool | None:
        """Answer: whether the connection stays open; None: nothing was written, it is for Tornado.

        `pour` must follow. Raises StreamClosedError when the client is gone.
        """
        left, self._left = self._left, False
        asked = self._asked if head == self._head else self._read(head)
        if asked is None or left:
            return None
        begin = time.perf_counter()
        answer = self._run(asked)
        if answer is None:
            return None
        keep = asked.keep and not self._state.draining
        self._write(asked, answer, begin, keep=keep)
        return keep

    async def pour(self) -> None:
        """Write a large answer as the client takes it: a slow reader costs one piece."""
        large, self._large = self._large, None
        if large is None:
            return
        asked, exchange, pieces = large
        try:
            for number, piece in enumerate(pieces, 1):
                exchange.size += len(piece)
                self._wire.send(piece)
                await self._wire.flushed()
                if number % _TURN == 0:
                    await asyncio.sleep(0)
        finally:
            self._account(asked, exchange)

    def _read(self, text: bytes) -> Asked | None:
        head = heads.parse(text)
        short = self._state.short_routes.get(head.path) if head is not None else None
        if head is None or short is None or not self._is_ours(head):
            return None
        asked = Asked(short, head, text, self._peer)
        if len(text) <= _REMEMBERED:
            self._head, self._asked = text, asked
        return asked

    def _is_ours(self, head: heads.Head) -> bool:
        host = head.fields.get("host")
        return host is None or self._state.hosts.accepts(host)

    def _run(self, asked: Asked) -> tuple[bytes, Parts] | None:
        """Let the handler answer: head and body; None: it is for Tornado, which makes errors' answers."""
        try:
            ready = asked.answer()
            variant = ready.choose(asked.acceptable) if isinstance(ready, Ready) else None
        except Exception as error:  # noqa: BLE001 - Tornado runs it again
            reason = "problem" if isinstance(error, Problem) else "error"
            self._state.tally.count(SHORT_WAY_FALLBACKS, asked.route, reason)
            return None
        if variant is not None:
            if asked.held is not None and matches(asked.held, variant.etag):
                return variant.unchanged, ()
            if variant.parts is not None:
                return variant.ok, variant.parts
        elif inspect.iscoroutine(ready):
            ready.close()
        self._state.tally.count(SHORT_WAY_FALLBACKS, asked.route, "unready")
        return None

    def _write(self, asked: Asked, answer: tuple[bytes, Parts], begin: float, *, keep: bool) -> None:
        """Write an answer, or leave it to `pour`."""
        head, parts = answer
        name = asked.said.request_id or next(self._state.ids)
        lead = b"%sX-Request-Id: %s\r\n%s%s" % (head, name.encode(), self._state.date, _ENDS[asked.old, keep])
        exchange = Exchange(asked.route, asked.request.method, int(head[9:12]), 0, begin, asked.said, name)
        if asked.is_head:
            parts = ()
        if sum(map(len, parts)) > _AT_ONCE:
            self._large = asked, exchange, _pieces((lead, *parts))
            return
        data = b"".join((lead, *parts))
        exchange.size = len(data)
        try:
            self._wire.send(data)
        finally:
            self._account(asked, exchange)

    def _account(self, asked: Asked, exchange: Exchange) -> None:
        """Count and log; until now `seconds` is when the exchange began."""
        exchange.seconds = time.perf_counter() - exchange.seconds
        self._state.answered(self._peer, exchange, asked.request.authorized)


def _pieces(parts: Parts) -> Iterator[memoryview]:
    """Cut an answer into pieces, without copying it."""
    for part in parts:
        view = memoryview(part)
        for start in range(0, len(view), _PIECE):
            yield view[start : start + _PIECE]

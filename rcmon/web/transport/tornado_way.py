"""Tornado's way: a request, whose head was read already, through Tornado's own HTTP/1 connection."""

import asyncio
import time
from collections.abc import Awaitable

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders, HTTPInputError, RequestStartLine, ResponseStartLine
from tornado.iostream import StreamClosedError

from rcmon.telemetry.own import OTHER
from rcmon.web.transport import last_words
from rcmon.web.transport.exchange import Exchange
from rcmon.web.transport.peer import Peer
from rcmon.web.transport.request_count import Authorized
from rcmon.web.transport.said import said
from rcmon.web.transport.state import ServerState
from rcmon.web.transport.wire import READ_SIZE, Wire

BARE_400 = b"HTTP/1.1 400 Bad Request\r\n\r\n"
"""All that Tornado says to what is no request."""
_REASONS = {400: "malformed", 408: "late_body"}


class Replay:
    """The stream as Tornado's parser sees it: first the head, then what was read behind it, then the rest.

    What Tornado says barely, or not at all, before it cuts a connection, is said as a problem document.
    """

    def __init__(self, state: ServerState, wire: Wire, peer: Peer, head: bytes) -> None:
        self._state, self._wire, self._stream, self._peer = state, wire, wire.stream, peer
        self.head = head
        self.begin = time.perf_counter()
        self.said = said(head)
        self.request_id = self.said.request_id or next(state.ids)
        self.written = 0
        """Bytes of the answer."""
        self.answered = False
        """Whether a handler's answer was begun."""
        self.begun: float | None = None
        """Seconds until it was, of one without an end of its own."""
        self.refused: int | None = None
        """Status of the answer that was made here."""
        self.left_open = False
        """Whether the stream is closed by its owner; nothing is read any more."""

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def closed(self) -> bool:
        """Tell whether the stream is closed."""
        return self._stream.closed()

    def set_nodelay(self, value: bool) -> None:  # noqa: FBT001 - the signature is Tornado's
        """Leave it on: it was set for the whole connection."""

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:  # noqa: ARG002
        """Give the head."""
        return _done(self.head)

    def read_bytes(self, num_bytes: int, partial: bool = False) -> Awaitable[bytes]:  # noqa: FBT001, FBT002
        """Read of a body, first what came with the head."""
        self._hold_open()
        size = len(self._wire.unread)
        if size >= num_bytes or (partial and size):
            return _done(self._wire.take(min(num_bytes, size)))
        return self._stream.read_bytes(num_bytes, partial) if partial else self._more(num_bytes)

    def read_until(self, delimiter: bytes, max_bytes: int) -> Awaitable[bytes]:
        """Read a line of a chunked body, of at most so many bytes."""
        self._hold_open()
        found = self._wire.unread.find(delimiter, 0, max_bytes)
        if found >= 0:
            return _done(self._wire.take(found + len(delimiter)))
        return self._line(delimiter, max_bytes)

    def _hold_open(self) -> None:
        """Raise StreamClosedError behind an answer that ends the connection: what follows is not read."""
        if self.left_open:
            raise StreamClosedError

    async def _more(self, size: int) -> bytes:
        while len(self._wire.unread) < size:
            self._wire.unread += await self._stream.read_bytes(READ_SIZE, partial=True)
        return self._wire.take(size)

    async def _line(self, delimiter: bytes, max_bytes: int) -> bytes:
        unread = self._wire.unread
        while (found := unread.find(delimiter, 0, max_bytes)) < 0:
            if len(unread) >= max_bytes:
                raise HTTPInputError("a line of a chunked body is too long")
            unread += await self._stream.read_bytes(READ_SIZE, partial=True)
        return self._wire.take(found + len(delimiter))

    def write(self, data: bytes | memoryview) -> "asyncio.Future[None]":
        """Write and count."""
        if data == BARE_400:
            if not self.answered:
                return self.refuse(400)
            data = b""  # a body went wrong behind its answer
        self.written += len(data)
        return self._wire.write(data)

    def refuse(self, status: int) -> "asyncio.Future[None]":
        """Answer in a handler's place."""
        detail = last_words.DETAILS[status]
        data = last_words.answer(status, detail, self.head, self._state.date, self.request_id)
        self.refused = status
        if status in _REASONS:
            self._state.refused(_REASONS[status])
        self.written += len(data)
        self.account(OTHER, status)
        return self._wire.write(data)

    def account(self, route: str, status: int, authorized: Authorized | None = None) -> None:
        """Count and log the request."""
        seconds = time.perf_counter() - self.begin
        method = last_words.method_of(self.head)
        exchange = Exchange(
            route, method, status, self.written, seconds, self.said, self.request_id, self.begun
        )
        self._state.answered(self._peer, exchange, authorized)

    def close(self) -> None:
        """End the connection; where nothing was answered, a body did not come in time."""
        if self.left_open:
            return
        if not (self.answered or self.refused or self.closed()):
            self.refuse(408)
        self._wire.close()


class LastFields(HTTPHeaders):
    """Fields of a connection's last answer: Tornado would promise an HTTP/1.0 client another one."""

    def __setitem__(self, name: str, value: str) -> None:
        super().__setitem__(name, "close" if name == "Connection" else value)


class Stock(HTTP1Connection):
    """One request and its answer."""

    def __init__(self, state: ServerState, wire: Wire, peer: Peer, head: bytes) -> None:
        self._state, self.replay = state, Replay(state, wire, peer, head)
        self._ends = False
        self.unread = False
        """Whether the answer left the rest of the request unread."""
        self.bodies = state.bodies
        # Replay offers what Tornado uses of a stream
        super().__init__(self.replay, False, state.parameters, peer)  # type: ignore[arg-type]  # noqa: FBT003

    async def answer(self) -> bool:
        """Answer; whether the connection stays open."""
        try:
            keep = await self.read_response(self._state.start_request(self, self))
        except StreamClosedError:
            if self.replay.closed():
                raise
            self.unread = True
            return False
        return keep and not self._ends

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> "asyncio.Future[None]":
        """Write the head of the answer; a drain that began meanwhile ends the connection behind it."""
        if self._state.draining:
            headers = LastFields(headers)
            headers["Connection"] = "close"
        headers["X-Request-Id"] = self.replay.request_id
        future = super().write_headers(start_line, headers, chunk)
        self.replay.answered = True
        self._ends = headers.get("Connection") == "close"
        return future

    def nothing_follows(self) -> None:
        """Take note that the request has no body: an answer at its head leaves the connection open.

        Tornado has no public way to say so: it ends each connection whose request it answers at the head.
        """
        self._read_finished = True

    def lasts(self) -> None:
        """Take note that the answer goes on from now for as long as the client wants: it counts as given."""
        self.replay.begun = time.perf_counter() - self.replay.begin

    def refused(self, reason: str) -> None:
        """Count the request as refused, by one of `rcmon.telemetry.own.REQUEST_REFUSALS`."""
        self._state.refused(reason)

    def finished(self, route: str, status: int, authorized: Authorized | None) -> None:
        """Take note of what a handler answered, and of its role check."""
        self.replay.account(route, status, authorized)

    def close(self) -> None:
        """End the connection, which is left to its owner; say so where a handler could not even begin."""
        replay = self.replay
        if not (replay.answered or replay.refused or replay.closed()):
            replay.refuse(500)
        self._ends = replay.left_open = True
        super().close()


def _done(data: bytes) -> "asyncio.Future[bytes]":
    """Give what is there already."""
    future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    future.set_result(data)
    return future

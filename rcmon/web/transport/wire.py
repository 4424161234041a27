"""The stream of one connection: what was read ahead of any parser, what is to leave, and by when."""

import asyncio
import contextlib
import math
import select
import socket
import time
from collections.abc import Callable

from tornado.iostream import StreamClosedError

from rcmon.web.transport import heads
from rcmon.web.transport.secured import SecuredStream

READ_SIZE = 8192
"""Bytes read at once; the stream's `read_chunk_size`."""

LINGER = 2.0
"""Seconds in which a client that was turned away may still send what nobody wants."""
LINGER_READS = 1024

Repeat = Callable[[bytes], bool]
"""Answers what was read, if that is the head of before once more; tells whether it did."""


class Wire:
    """Reads and writes one stream. Closes it quietly whatever goes wrong; then calls raise StreamClosedError.

    `sweep`, once a second, is what keeps the deadlines: a timer for each would cost more than an answer.
    """

    def __init__(self, stream: SecuredStream, write_timeout: float) -> None:
        self.stream = stream
        self.unread = bytearray()
        """What was read and is no request's yet."""
        self.deadline = math.inf
        """When to close the stream; infinite while a request is under way."""
        self.timed_out = False
        self._write_timeout = write_timeout
        self._stuck = math.inf
        """When to close it if what was written has not left by then."""
        self._answered = self._parted = False
        """Whether an answer just left; whether goodbye was said."""
        self._repeat: Repeat | None = None
        self._idle_timeout = 0.0
        self._waiting = False
        """Whether nothing was read since the last request."""
        self._receive = stream.read_from_fd
        stream.read_from_fd = self._read_from_fd  # type: ignore[method-assign]  # a method to be overridden

    async def next_head(self, within: float) -> bytes:
        """Read up to the end of the next head, or until it is longer than any may be.

        A head that began has `within` seconds to arrive.
        """
        if self.stream.closed():  # there is nobody to answer what is still unread
            raise StreamClosedError(real_error=self.stream.error)
        unread, seen, begun = self.unread, 0, False
        while (end := heads.END.search(unread, seen)) is None and len(unread) <= heads.MOST:
            if unread and not begun:
                self.deadline, begun = time.monotonic() + within, True
            self._waiting = not unread
            seen = max(0, len(unread) - 2)  # the end may have begun
            unread += await self.stream.read_bytes(READ_SIZE, partial=True)
            self._waiting = False
        return self.take(end.end() if end else len(unread))

    def take(self, size: int) -> bytes:
        """Take what was read for a request."""
        data = bytes(self.unread[:size])
        del self.unread[:size]
        return data

    def rest(self, idle_timeout: float, repeat: Repeat | None) -> None:
        """Wait for the next request after an answer; `repeat` may answer it as soon as it is read."""
        self._answered = True
        self._repeat, self._idle_timeout = repeat, idle_timeout
        self.deadline = time.monotonic() + idle_timeout

    def _read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        """Read for the stream, which calls this as its own."""
        if self._answered:
            # wait for the poller: no read that finds nothing, and the others have a turn
            self._answered = False
            if not self.stream.socket.pending():
                return None
        try:
            count = self._receive(buf)
        except OSError as error:
            self.stream.close(exc_info=error)
            return None
        if count and self._waiting:
            if count < len(buf) and self._repeat is not None and self._is_repeated(bytes(buf[:count])):
                return None
            self._waiting = False
        return count

    def _is_repeated(self, data: bytes) -> bool:
        try:
            if self._repeat is None or not self._repeat(data):
                return False
        except StreamClosedError:
            return True
        self.deadline = time.monotonic() + self._idle_timeout
        return True

    def send(self, data: bytes | memoryview) -> None:
        """Write past the stream's buffer while that is empty and the socket takes more."""
        stream, left = self.stream, memoryview(data)
        if not stream.writing() and not stream.closed():
            try:
                # a call takes a TLS record
                while left and (sent := stream.write_to_fd(left)):
                    left = left[sent:]
            except BlockingIOError:
                pass
            except OSError as error:
                stream.close(exc_info=error)
        if left:
            self.write(left)

    def write(self, data: bytes | memoryview) -> "asyncio.Future[None]":
        """Write; the time runs from when the stream began to hold something back."""
        if not self.stream.writing():
            self._stuck = time.monotonic() + self._write_timeout
        return self.stream.write(data)

    async def flushed(self) -> None:
        """Wait until the client took what was written."""
        if self.stream.writing():
            await self.write(b"")

    def is_idle(self) -> bool:
        """Tell whether nothing would be lost if the stream were closed now."""
        return self.deadline < math.inf and not self.stream.writing() and not self.is_readable()

    def is_readable(self) -> bool:
        """Tell whether the client sent more than was taken."""
        if self.stream.closed():
            return False
        if self.unread or self.stream.socket.pending():
            return True
        poller = select.poll()
        poller.register(self.stream.socket, select.POLLIN)
        return bool(poller.poll(0))

    def sweep(self, now: float) -> None:
        """Close the stream if its time is over."""
        if now >= self.deadline or (now >= self._stuck and self.stream.writing()):
            self.timed_out = True
            self.close()

    def close(self) -> None:
        """Close the stream, and let go of what leads back here: nothing waits for the garbage collector."""
        self.say_goodbye()
        self.stream.close()
        if self.stream.left is not None:
            with contextlib.suppress(OSError):  # whoever reads there reads an end
                self.stream.left.shutdown(socket.SHUT_RDWR)
        self.stream.__dict__.pop("read_from_fd", None)
        self._repeat = None

    async def see_off(self) -> None:
        """Read on for a moment where the handshake failed, that the client may read why."""
        left = self.stream.left
        if left is None:
            return
        self.deadline = time.monotonic() + LINGER
        with contextlib.closing(left), contextlib.suppress(OSError):
            for _ in range(LINGER_READS):
                if not await asyncio.get_running_loop().sock_recv(left, READ_SIZE):
                    return

    def say_goodbye(self) -> None:
        """Send close_notify (RFC 8446, 6.1), once: OpenSSL's clients take an end without it for a cut.

        Not under TLS 1.2, where it would keep the session in OpenSSL's memory, to be resumed.
        """
        if self._parted or self.stream.closed() or self.stream.writing():
            return
        self._parted = True
        if self.stream.socket.version() == "TLSv1.3":
            self._receive = self._discard
            with contextlib.suppress(OSError):  # it says goodbye, then would wait for the client's
                self.stream.socket.unwrap()

    def _discard(self, buf: bytearray | memoryview) -> int | None:
        """Read past TLS, which reads nothing any more behind a goodbye: nobody wants it."""
        try:
            return socket.socket.recv_into(self.stream.socket, buf)
        except BlockingIOError:
            return None

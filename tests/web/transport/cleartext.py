"""Connections without TLS, for many thousands of requests: all behind the handshake is the same."""

import asyncio
import contextlib
import socket
import time
from typing import Any

from tornado.iostream import IOStream

from rcmon.access.identity import Identity
from rcmon.web.transport.connection import Connection
from rcmon.web.transport.pace import Bucket
from tests.web.serving import Serving


class _Clear(socket.socket):
    """A socket that answers what is asked of one under TLS."""

    def pending(self) -> int:
        return 0

    def version(self) -> str:
        return "none"


class _ClearStream(IOStream):
    shakes_hands = False
    left = None


class _ClearConnection(Connection):
    """Takes its client for whom it is told."""

    def __init__(self, served: Serving, who: Identity, sock: socket.socket) -> None:
        stream: Any = _ClearStream(_Clear(fileno=sock.detach()), read_chunk_size=8192)
        self._who = who
        super().__init__(served.server.state, stream, "127.0.0.1", served.server.forget)

    async def _is_admitted(self) -> bool:
        self._state.guard.shaken(self.peer.remote_ip)
        self.peer.proved(self._who)
        self.peer.bucket = Bucket(0.0, time.monotonic)
        return True


async def said_to(served: Serving, who: Identity, data: bytes) -> bytes:
    """Send bytes that end the connection, and give all that the server says to them."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with theirs:
        assert served.server.state.guard.opens("127.0.0.1")
        served.server.live.add(_ClearConnection(served, who, ours))
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(theirs, data)
        answer = b""
        with contextlib.suppress(ConnectionResetError):  # over what it did not want to read
            while piece := await loop.sock_recv(theirs, 1 << 17):
                answer += piece
        return answer

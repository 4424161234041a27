"""Tornado's HTTPServer with our connections: limits before any cryptography, one sweep for all deadlines."""

import asyncio
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any

from tornado.http1connection import HTTP1ConnectionParameters
from tornado.httpserver import HTTPServer
from tornado.web import Application

from rcmon.access.gate import Gate
from rcmon.access.handshake.sessions import SessionChains
from rcmon.telemetry.tally import Tally
from rcmon.web.transport.acceptor import Acceptor
from rcmon.web.transport.accesslog import AccessLog
from rcmon.web.transport.bodies import Bodies
from rcmon.web.transport.connection import Connection
from rcmon.web.transport.guard import ClientLimits, Guard
from rcmon.web.transport.hosts import Hosts
from rcmon.web.transport.pace import Buckets
from rcmon.web.transport.request_count import RequestCount
from rcmon.web.transport.said import request_ids
from rcmon.web.transport.secured import SecuredStream
from rcmon.web.transport.state import ServerState, ShortRoutes
from rcmon.web.transport.throttle import Throttle
from rcmon.web.transport.wire import READ_SIZE

__all__ = ["ClientLimits", "Server"]

_BUFFER_SIZE = 1 << 18
"""Bytes that a stream may have read ahead: more than one head."""
_UNSENT = 128 * 1024
"""Bytes the kernel holds for a client beside those on their way: so much is progress, and costs memory."""

_SWEEP = 2.0
"""Seconds by which a deadline may be missed: `tick` looks about once a second."""
_LOOK = 0.1
"""Seconds between two looks for connections that a drain may close."""


class Server(HTTPServer):
    """One worker's server. `tick` is the worker's to call, every second; `drain` ends it gracefully."""

    def initialize(  # type: ignore[override]  # Tornado's takes its own options, which pass through
        self,
        application: Application,
        *,
        gate: Gate,
        tally: Tally,
        access_log: AccessLog,
        limits: ClientLimits,
        short_routes: ShortRoutes,
        hosts: Hosts,
        **options: Any,
    ) -> None:
        """Take what the connections need; `options` go to Tornado's HTTPServer.

        Without `short_routes` every request goes Tornado's way.
        """
        super().initialize(application, chunk_size=READ_SIZE, max_buffer_size=_BUFFER_SIZE, **options)
        self.throttle = Throttle()
        self.acceptor: Acceptor | None = None
        self.live: set[Connection] = set()
        self.state = ServerState(
            gate=gate,
            chains=SessionChains(limits.handshake_timeout + _SWEEP),
            guard=Guard(limits, tally),
            hosts=hosts,
            pace=Buckets(limits.request_rate),
            ids=request_ids(),
            bodies=Bodies(limits.body_memory, limits.body_memory_per_identity, tally),
            limits=limits,
            tally=tally,
            requests=RequestCount(tally),
            access_log=access_log,
            short_routes=short_routes,
            parameters=HTTP1ConnectionParameters(
                chunk_size=READ_SIZE,
                max_body_size=0,  # none is read but where Delivery says how large it may be
                body_timeout=limits.request_timeout,
            ),
            start_request=self.start_request,
        )
        self.tick()

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Accept connections on these sockets, whose options every connection inherits."""
        listening = list(sockets)
        for sock in listening:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
            timeout = int(self.state.limits.write_timeout * 1000)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, timeout)
        self.throttle.install()
        self.acceptor = Acceptor(listening, self.admit, self.unaccepted)

    def stop(self) -> None:
        """Accept no more connections."""
        if self.acceptor is not None:
            self.acceptor.close()

    def unaccepted(self, error: OSError) -> None:
        """Take note of a connection that was lost before it was accepted."""
        self.state.guard.failed(error, "an unknown address")

    def admit(self, connection: socket.socket, address: tuple[Any, ...]) -> None:
        """Serve a client, unless there are too many already: that is decided before any cryptography.

        Never raises: all that happens to a socket before its handshake is counted and told by the guard.
        """
        host = address[0]
        if not self.state.guard.opens(host):
            connection.close()
            return
        try:
            self.live.add(Connection(self.state, self._secured(connection), host, self.forget))
        except Exception as error:  # noqa: BLE001 - nobody above could do more than the guard
            connection.close()
            self.state.guard.failed(error, host)
            self.state.guard.shaken(host)
            self.state.guard.closes(host)

    def _secured(self, connection: socket.socket) -> SecuredStream:
        """Make a stream of a connection; raises OSError where the client is gone already."""
        if not isinstance(self.ssl_options, ssl.SSLContext):  # never serve in clear
            raise TypeError("the server has no TLS context")
        connection.setblocking(False)  # noqa: FBT003
        connection.getpeername()
        secured = self.ssl_options.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        try:
            secured.getpeername()  # Python takes an end meanwhile for a socket that is yet to connect
            return SecuredStream(secured, max_buffer_size=_BUFFER_SIZE, read_chunk_size=READ_SIZE)
        except OSError:
            secured.close()
            raise

    def forget(self, connection: Connection) -> None:
        """Forget a connection that ended."""
        self.live.discard(connection)
        self.state.guard.closes(connection.peer.remote_ip)

    def tick(self) -> None:
        """Once a second: the Date field, every deadline of this worker, the logs."""
        self.state.date = time.strftime("Date: %a, %d %b %Y %H:%M:%S GMT\r\n", time.gmtime()).encode()
        now = time.monotonic()
        for connection in list(self.live):
            connection.wire.sweep(now)
        self.state.access_log.flush()
        self.state.pace.tick()
        self.throttle.tick()

    async def drain(self, seconds: float, linger: float = 2.0) -> None:
        """Stop accepting, end each connection behind its next answer, cut what is left after `seconds`.

        Idle connections stay for `linger` seconds: a request may be on its way on one.
        """
        self.stop()
        self.state.draining = self.state.parameters.no_keep_alive = True
        begin = time.monotonic()
        await self._emptied(begin + min(linger, seconds))
        while self.live and time.monotonic() < begin + seconds:
            for connection in list(self.live):
                if connection.wire.is_idle():
                    connection.wire.close()
            await self._emptied(min(time.monotonic() + _LOOK, begin + seconds))
        await self.close_all_connections()

    async def _emptied(self, deadline: float) -> None:
        """Wait until no connection is left, or until the deadline."""
        tasks = [connection.task for connection in self.live]
        if tasks:
            await asyncio.wait(tasks, timeout=max(0.0, deadline - time.monotonic()))

    async def close_all_connections(self) -> None:
        """Cut every connection."""
        for connection in list(self.live):
            connection.wire.close()
        await self._emptied(time.monotonic() + 1.0)
        self.state.access_log.flush()
        self.throttle.remove()

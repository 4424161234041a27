"""Tornado's HTTPServer with our connections: limits before any cryptography, one sweep for all deadlines."""

import asyncio
import inspect
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any

from tornado.http1connection import HTTP1ConnectionParameters
from tornado.httpserver import HTTPServer
from tornado.iostream import SSLIOStream
from tornado.web import Application, RequestHandler

from rcmon.access.gate import Gate
from rcmon.access.handshake.sessions import SessionChains
from rcmon.telemetry.own import DECISIONS, OTHER
from rcmon.telemetry.tally import Tally
from rcmon.web.base import Handler
from rcmon.web.telemetry.requests import RequestCount
from rcmon.web.transport.acceptor import Acceptor
from rcmon.web.transport.accesslog import AccessLog
from rcmon.web.transport.connection import Connection
from rcmon.web.transport.exchange import Exchange
from rcmon.web.transport.guard import Guard, Limits
from rcmon.web.transport.host import ShortRoutes
from rcmon.web.transport.peer import Peer
from rcmon.web.transport.throttle import Throttle
from rcmon.web.transport.tornado_way import Stock
from rcmon.web.transport.wire import READ_SIZE

__all__ = ["Limits", "Server"]

_BODY_SIZE = 1 << 20
_BUFFER_SIZE = 1 << 18
"""Bytes that a stream may have read ahead: more than one head."""
_UNSENT = 128 * 1024
"""Bytes the kernel holds for a client beside those on their way: so much is progress, and costs memory."""

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
        limits: Limits,
        short_routes: ShortRoutes,
        **options: Any,
    ) -> None:
        """Take what the connections need; `options` go to Tornado's HTTPServer.

        Without `short_routes` every request goes Tornado's way. Raises TypeError for a coroutine among them.
        """
        super().initialize(application, chunk_size=READ_SIZE, max_buffer_size=_BUFFER_SIZE, **options)
        for handler in short_routes.values():
            if inspect.iscoroutinefunction(inspect.unwrap(handler.get)):
                raise TypeError(f"{handler.__qualname__}.get is a coroutine: it cannot answer at once")
        self.application, self.gate, self.tally, self.access_log = application, gate, tally, access_log
        self.limits, self.short_routes = limits, short_routes
        self.requests = RequestCount(tally)
        self.guard = Guard(limits, tally)
        self.throttle = Throttle()
        self.acceptor: Acceptor | None = None
        self.chains = SessionChains()
        self.draining = False
        """Whether each connection ends behind its next answer."""
        self.live: set[Connection] = set()
        self.parameters = HTTP1ConnectionParameters(
            chunk_size=READ_SIZE, max_body_size=_BODY_SIZE, body_timeout=limits.request_timeout
        )
        application.settings["log_function"] = self.finished
        self.tick()

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Accept connections on these sockets, whose options every connection inherits."""
        listening = list(sockets)
        for sock in listening:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
            timeout = int(self.limits.write_timeout * 1000)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, timeout)
        self.throttle.install()
        self.acceptor = Acceptor(listening, self.admit, self.unaccepted)

    def stop(self) -> None:
        """Accept no more connections."""
        if self.acceptor is not None:
            self.acceptor.close()

    def unaccepted(self, error: OSError) -> None:
        """Take note of a connection that was lost before it was accepted."""
        self.guard.failed(error, "an unknown address")

    def admit(self, connection: socket.socket, address: tuple[Any, ...]) -> None:
        """Serve a client, unless there are too many already: that is decided before any cryptography.

        Never raises: all that happens to a socket before its handshake is counted and told by the guard.
        """
        host = address[0]
        if not self.guard.opens(host):
            connection.close()
            return
        try:
            self.live.add(Connection(self, self._secured(connection), host, self.forget))
        except Exception as error:  # noqa: BLE001 - nobody above could do more than the guard
            connection.close()
            self.guard.failed(error, host)
            self.guard.closes(host)

    def _secured(self, connection: socket.socket) -> SSLIOStream:
        """Make a stream of a connection; raises OSError where the client is gone already."""
        if not isinstance(self.ssl_options, ssl.SSLContext):  # never serve in clear
            raise TypeError("the server has no TLS context")
        connection.setblocking(False)  # noqa: FBT003
        connection.getpeername()
        secured = self.ssl_options.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        try:
            secured.getpeername()  # Python takes an end meanwhile for a socket that is yet to connect
            return SSLIOStream(secured, max_buffer_size=_BUFFER_SIZE, read_chunk_size=READ_SIZE)
        except OSError:
            secured.close()
            raise

    def forget(self, connection: Connection) -> None:
        """Forget a connection that ended."""
        self.live.discard(connection)
        self.guard.closes(connection.peer.remote_ip)

    def answered(self, peer: Peer, exchange: Exchange) -> None:
        """Count and log a request."""
        self.requests.answered(exchange.route, exchange.method, exchange.status, exchange.seconds)
        self.access_log.request(peer.caller, peer.remote_ip, exchange)

    def decided(self, handler: Handler) -> None:
        """Count the outcome of a handler's role check."""
        if handler.authorized is not None:
            self.tally.count(DECISIONS, *handler.authorized)

    def finished(self, handler: RequestHandler) -> None:
        """Take note of a request that Tornado answered: the application's log function."""
        if isinstance(handler, Handler):
            self.decided(handler)
        if isinstance(connection := handler.request.connection, Stock):
            route = handler.route if isinstance(handler, Handler) else OTHER
            connection.replay.account(route, handler.get_status())

    def tick(self) -> None:
        """Once a second: the Date field, every deadline of this worker, the logs."""
        self.date = time.strftime("Date: %a, %d %b %Y %H:%M:%S GMT\r\n", time.gmtime()).encode()
        now = time.monotonic()
        for connection in list(self.live):
            connection.wire.sweep(now)
        self.access_log.flush()
        self.throttle.tick()

    async def drain(self, seconds: float, linger: float = 2.0) -> None:
        """Stop accepting, end each connection behind its next answer, cut what is left after `seconds`.

        Idle connections stay for `linger` seconds: a request may be on its way on one.
        """
        self.stop()
        self.draining = self.parameters.no_keep_alive = True
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
        self.access_log.flush()
        self.throttle.remove()

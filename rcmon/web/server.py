"""Tornado's HTTPServer with our connections: limits before any cryptography, one sweep for all deadlines."""

import asyncio
import contextlib
import logging
import math
import resource
import socket
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from tornado.http1connection import HTTP1ConnectionParameters
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream, SSLIOStream
from tornado.web import Application, RequestHandler

from rcmon.access.gate import Gate
from rcmon.web.accesslog import AccessLog
from rcmon.web.base import Handler
from rcmon.web.connection import Connection
from rcmon.web.counters import OTHER_ROUTE, Tally
from rcmon.web.exchange import Exchange
from rcmon.web.peer import Peer

_LOG = logging.getLogger("rcmon.web.server")
_BODY_SIZE = 1 << 20
_SPARE_FILES = 64
"""File descriptors kept free for the store, the log and the like: without any the accept loop spins."""
_LOGGED_A_SECOND = 5


class Limits(Struct, frozen=True):
    """What one worker grants its clients; times in seconds."""

    connections: int = 4000
    per_address: int = 1000
    per_identity: int = 1000
    handshake_timeout: float = 5.0
    request_timeout: float = 10.0
    idle_timeout: float = 75.0
    write_timeout: float = 30.0


ShortRoutes = Mapping[str, type[Handler]]
"""By path: the handlers whose answers are ready."""


class Server(HTTPServer):
    """One worker's server. `start_sweep` and `tick` are the worker's to call; `drain` ends it gracefully."""

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
        """Take what the connections need; `options` go to Tornado's HTTPServer."""
        super().initialize(application, **options)
        self.application, self.gate, self.tally, self.access_log = application, gate, tally, access_log
        self.limits = limits
        self.short_routes = short_routes
        self.short_way = bool(short_routes)
        self.draining = self.closing = False
        self.idle_timeout = limits.idle_timeout
        self.live: set[Connection] = set()
        self.parameters = HTTP1ConnectionParameters(
            chunk_size=8192, max_body_size=_BODY_SIZE, body_timeout=limits.request_timeout
        )
        self._most = min(
            limits.connections, max(1, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE_FILES)
        )
        self._addresses: Counter[str] = Counter()
        self._identities: Counter[str] = Counter()
        self._logged = self._unlogged = 0
        self.tick()

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Serve a client, unless there are too many already: that is decided before any cryptography."""
        if len(self.live) >= self._most or self._addresses[address[0]] >= self.limits.per_address:
            stream.close()
            self.refused("limit", address[0])
            return
        if not isinstance(stream, SSLIOStream):  # the context was lost: never serve in clear
            stream.close()
            self.refused("other", address[0])
            return
        milliseconds = int(self.limits.write_timeout * 1000)
        with contextlib.suppress(OSError):  # the client is gone already
            stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
        connection = Connection(self, stream, (address[0], address[1]))
        self.live.add(connection)
        self._addresses[address[0]] += 1
        self.tally.opened()
        connection.task = asyncio.ensure_future(connection.serve())

    def welcome(self, connection: Connection) -> bool:
        """Let an identified connection in, unless its identity has too many."""
        caller = connection.context.caller
        self._identities[caller] += 1
        if self._identities[caller] > self.limits.per_identity:
            self.refused("limit", connection.context.remote_ip, f"too many connections of {caller}")
            return False
        return True

    def forget(self, connection: Connection) -> None:
        """Forget a connection that ended."""
        self.live.discard(connection)
        self.tally.closed()
        _less(self._addresses, connection.context.remote_ip)
        if connection.admitted:
            _less(self._identities, connection.context.caller)

    def refused(self, reason: str, address: str, detail: str = "") -> None:
        """Count a connection that was not let in; log a few of them a second."""
        self.tally.failed(reason)
        self._logged += 1
        if self._logged > _LOGGED_A_SECOND:
            self._unlogged += 1
        elif reason != "closed":
            _LOG.info("refused a connection from %s: %s", address, detail or reason)

    def answered(self, peer: Peer, exchange: Exchange) -> None:
        """Count and log a request."""
        self.tally.request(exchange.route, exchange.method, exchange.status, exchange.seconds)
        self.access_log.request(peer.caller, peer.remote_ip, exchange)

    def decided(self, handler: Handler) -> None:
        """Count the outcome of a handler's role check."""
        if handler.authorized is not None:
            role, outcome = handler.authorized
            self.tally.decided(role, granted=outcome == "granted")

    def finished(self, handler: RequestHandler) -> None:
        """Take note of a request that Tornado answered: the application's log function."""
        context = getattr(handler.request.connection, "context", None)
        route = handler.route if isinstance(handler, Handler) else OTHER_ROUTE
        if isinstance(handler, Handler):
            self.decided(handler)
        if isinstance(context, Peer):
            context.answered = (route, handler.request.method or "other", handler.get_status())

    def tick(self) -> None:
        """Once a second: the Date field, every deadline of this worker, the access log."""
        self.date = time.strftime("Date: %a, %d %b %Y %H:%M:%S GMT\r\n", time.gmtime()).encode()
        now = time.monotonic()
        for connection in [one for one in self.live if one.deadline < now]:
            connection.timed_out = True
            connection.close()
        self.access_log.flush()
        if self._unlogged:
            _LOG.info("refused %d more connections", self._unlogged)
        self._logged = self._unlogged = 0

    async def drain(self, seconds: float, linger: float = 2.0) -> None:
        """Stop accepting, end each connection behind its next answer, cut what is left after `seconds`.

        Idle connections stay for `linger` seconds: a request may be on its way on one.
        """
        self.stop()
        self.draining = self.parameters.no_keep_alive = True
        begin = time.monotonic()
        await self._emptied(begin + min(linger, seconds))
        self.closing = True
        for connection in [one for one in self.live if one.deadline < math.inf]:
            connection.close()
        await self._emptied(begin + seconds)
        await self.close_all_connections()

    async def _emptied(self, deadline: float) -> None:
        while self.live and time.monotonic() < deadline:
            await asyncio.wait(
                [one.task for one in self.live if one.task is not None],
                timeout=max(0.0, deadline - time.monotonic()),
                return_when=asyncio.ALL_COMPLETED,
            )

    async def close_all_connections(self) -> None:
        """Cut every connection."""
        tasks = [one.task for one in self.live if one.task is not None]
        for connection in list(self.live):
            connection.close()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)
        self.access_log.flush()


def _less(counter: Counter[str], key: str) -> None:
    """Count one down, and forget what is at zero: keys come from clients."""
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]

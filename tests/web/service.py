"""The application as a worker has it, served over mutual TLS by Tornado's own server."""

import time
from collections.abc import Iterable, Sequence
from functools import cached_property

from tornado.http1connection import HTTP1Connection
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate
from tornado.iostream import IOStream
from tornado.testing import bind_unused_port
from tornado.web import Application

from rcmon.access.authority.crl import CrlStatus
from rcmon.access.gate import Decision, Gate
from rcmon.access.handshake.tls import verified_chain
from rcmon.access.identity import Identity, identify
from rcmon.model import Snapshot
from rcmon.process.scoreboard import Scoreboard
from rcmon.render import render
from rcmon.store import Store
from rcmon.telemetry.layout import Layout
from rcmon.telemetry.tally import Tally
from rcmon.web.about import BASE, About
from rcmon.web.app import make_app, routes
from rcmon.web.board import Board
from rcmon.web.services import Parts
from rcmon.web.telemetry.totals import Totals
from tests.web.grid import NOW
from tests.web.pki import Pki

PROCESSES = ("web-0", "web-1", "collector")


class Trusted:
    """What is told about certificates; the tests write it."""

    def __init__(self) -> None:
        self.not_after: float | None = NOW + 86400
        self.lists: Sequence[CrlStatus] = ()

    def certificate_not_after(self) -> float | None:
        return self.not_after

    def crls(self) -> Iterable[CrlStatus]:
        return self.lists


class Visitor:
    """Who is at the other end of a connection, as handlers see it; known after the handshake."""

    protocol = "https"

    def __init__(self, server: "Server", stream: IOStream) -> None:
        self.remote_ip = "127.0.0.1"
        self.server, self.stream = server, stream

    @cached_property
    def identity(self) -> Identity:
        return identify(verified_chain(self.stream.socket) or ())

    def decision(self) -> Decision:
        return self.server.gate.decide(self.identity, self.server.clock())


class Server(HTTPServer):
    """Tornado's server; every connection's context is a Visitor."""

    gate: Gate
    clock = staticmethod(time.time)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        assert isinstance(request_conn, HTTP1Connection)
        if not isinstance(request_conn.context, Visitor):
            request_conn.context = Visitor(self, request_conn.stream)
        return super().start_request(server_conn, request_conn)


class Service:
    """Everything that one worker has, and a client for each persona."""

    def __init__(self, pki: Pki, store: Store) -> None:
        self.pki, self.store = pki, store
        self.layout = Layout({"route": routes()})
        self.scoreboard = Scoreboard(len(PROCESSES), self.layout.size)
        self.tally = Tally(self.layout, self.scoreboard.slot(0).cells)
        for index in range(len(PROCESSES)):
            self.scoreboard.slot(index).occupy(1000 + index, time.monotonic())
        self.board = Board(store)
        self.trust = Trusted()
        self.now = NOW
        self.gate = Gate(pki.roles())
        self.app: Application = make_app(self.parts())
        self.server = Server(self.app, ssl_options=pki.server_context)
        self.server.gate = self.gate
        sock, self.port = bind_unused_port()
        self.server.add_socket(sock)

    def parts(self) -> Parts:
        return Parts(
            about=About(processes=PROCESSES, cycle_interval=60.0, store_kind="sqlite"),
            board=self.board,
            totals=Totals(self.layout, self.scoreboard),
            scoreboard=self.scoreboard,
            trust=self.trust,
            clock=lambda: self.now,
        )

    async def publish(self, snapshot: Snapshot) -> None:
        await self.store.save(snapshot, render(snapshot), [])
        await self.board.check()

    def identity(self, persona: str) -> Identity:
        return identify(self.pki.chains[persona])

    def url(self, path: str) -> str:
        return f"https://localhost:{self.port}{path}"

    async def ask(
        self,
        path: str,
        persona: str = "reader",
        *,
        method: str = "GET",
        body: bytes | None = None,
        **fields: str,
    ) -> HTTPResponse:
        """Ask below BASE, or anywhere when the path begins with two slashes."""
        full = path[1:] if path.startswith("//") else BASE + path
        request = HTTPRequest(
            self.url(full),
            method=method,
            headers={name.replace("_", "-"): value for name, value in fields.items()},
            body=body,
            ssl_options=self.pki.clients[persona],
            decompress_response=False,
            follow_redirects=False,
            allow_nonstandard_methods=True,
        )
        client = AsyncHTTPClient(force_instance=True)
        try:
            return await client.fetch(request, raise_error=False)
        finally:
            client.close()

    async def close(self) -> None:
        self.server.stop()
        await self.server.close_all_connections()
        await self.store.close()

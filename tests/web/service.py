"""The application as a worker has it, served over mutual TLS by the worker's own server."""

import time
from collections.abc import Iterable, Sequence

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPConnection, HTTPMessageDelegate
from tornado.testing import bind_unused_port
from tornado.web import Application

from rcmon.access.authority.crl import CrlStatus
from rcmon.access.gate import Gate
from rcmon.access.identity import Identity, identify
from rcmon.model import Snapshot
from rcmon.process.scoreboard import Scoreboard
from rcmon.render import render
from rcmon.store import Store
from rcmon.telemetry.layout import Layout
from rcmon.telemetry.metric import Metric
from rcmon.telemetry.tally import Tally
from rcmon.web.about import BASE, About
from rcmon.web.app import make_app, routes, short_routes
from rcmon.web.base import Handler
from rcmon.web.board import Board
from rcmon.web.delivery import Delivery
from rcmon.web.services import Parts
from rcmon.web.telemetry.totals import Totals
from rcmon.web.transport.accesslog import AccessLog, Style
from rcmon.web.transport.peer import Peer
from rcmon.web.transport.server import ClientLimits, Server
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


class Counting(Server):
    """A server that counts the requests that went Tornado's way."""

    replayed = 0

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        self.replayed += 1
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
        self.totals = Totals(self.layout, self.scoreboard)
        self.board = Board(store)
        self.trust = Trusted()
        self.now = NOW
        self.gate = Gate(pki.roles())
        self.app: Application = make_app(self.parts())
        self.lines: list[str] = []
        self.server = Counting(
            self.app,
            gate=self.gate,
            tally=self.tally,
            access_log=AccessLog(self.lines.append, "web-0", Style()),
            limits=ClientLimits(),
            short_routes=short_routes(self.app.settings["services"]),
            ssl_options=pki.server_context,
        )
        sock, self.port = bind_unused_port()
        self.server.add_socket(sock)

    def parts(self) -> Parts:
        return Parts(
            about=About(processes=PROCESSES, cycle_interval=60.0, store_kind="sqlite"),
            board=self.board,
            totals=self.totals,
            scoreboard=self.scoreboard,
            trust=self.trust,
            clock=lambda: self.now,
        )

    async def publish(self, snapshot: Snapshot) -> None:
        await self.store.save(snapshot, render(snapshot), [])
        await self.board.check()

    def add(self, *handlers: type[Handler]) -> None:
        """Serve more resources."""
        rules = [(f"{BASE}{handler.route}", Delivery, {"resource": handler}) for handler in handlers]
        self.app.add_handlers(".*", rules)

    def peer(self, persona: str) -> Peer:
        """Make the other end of a connection that needs none."""
        peer = Peer("127.0.0.1", self.gate)
        peer.proved(self.identity(persona))
        return peer

    @property
    def replayed(self) -> int:
        """Requests that went Tornado's way."""
        return self.server.replayed

    def counted(self, metric: Metric) -> dict[tuple[str, ...], float]:
        """Give what was counted of a metric, by its labels."""
        return {labels: count for labels, count in self.totals.samples(metric) if count}

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

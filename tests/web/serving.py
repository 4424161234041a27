"""A worker's server as it is - its trust, its gate, its store - and clients for it."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from msgspec import structs
from sqlalchemy.engine import make_url
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httputil import HTTPMessageDelegate
from tornado.testing import bind_unused_port
from tornado.web import Application

from rcmon.access.authority.crl import CrlStatus
from rcmon.access.gate import Gate
from rcmon.access.identity import Identity, identify
from rcmon.access.trust import Trust
from rcmon.files.follower import Follower
from rcmon.model import Snapshot
from rcmon.process import ChildContext
from rcmon.process.scoreboard import Scoreboard
from rcmon.render import render
from rcmon.steering import ControlSettings, follow_control
from rcmon.store import Store
from rcmon.store.reader import StoredSnapshots
from rcmon.telemetry.layout import Layout
from rcmon.telemetry.metric import Metric
from rcmon.telemetry.own import HANDSHAKES_FAILED, REQUESTS
from rcmon.telemetry.tally import Tally
from rcmon.web import worker
from rcmon.web.about import BASE, About
from rcmon.web.app import handbook, routes
from rcmon.web.base import Handler
from rcmon.web.board import Board
from rcmon.web.delivery import Delivery
from rcmon.web.page.assets import Assets
from rcmon.web.page.pages import Pages
from rcmon.web.services import Parts, Services
from rcmon.web.telemetry.totals import Totals
from rcmon.web.transport.accesslog import Style
from rcmon.web.transport.guard import ClientLimits
from rcmon.web.transport.peer import Peer
from rcmon.web.transport.server import Server
from tests.access import pki
from tests.store.using import save
from tests.web import served as handlers
from tests.web.caller import Caller
from tests.web.grid import NOW
from tests.web.pki import CREDENTIALS, READER, ROOT, careful, client, files

PAGES = Pages(Assets())
"""As a service makes them once for all its workers."""
PROCESSES = ("web-0", "web-1", "collector")
NOWHERE = make_url("sqlite:///nowhere.sqlite")
"""A store that nobody opens."""


class Telling(Trust):
    """A trust whose certificate and revocation lists are told to be in a state: too old, broken, unknown."""

    not_after: float | None = NOW + 86400
    lists: Sequence[CrlStatus] = ()

    def certificate_not_after(self) -> float | None:  # type: ignore[override]
        return self.not_after

    def crls(self) -> Sequence[CrlStatus]:
        return self.lists


class Serving:
    """One worker's server with everything it counts and logs, made as the worker makes it.

    It serves `table`, or handlers of every kind with `more`. `gate` in place of its trust's own is one that
    counts or fails. `limits` as in `ClientLimits`.
    """

    def __init__(
        self,
        *,
        table: Sequence[type[Handler]] | None = None,
        more: Sequence[type[Handler]] = (),
        store: Store | None = None,
        processes: tuple[str, ...] = ("web-0",),
        short: bool = True,
        gate: Gate | None = None,
        proxies: bool = True,
        scoreboard: Scoreboard | None = None,
        control: Follower[ControlSettings] | None = None,
        **limits: Any,
    ) -> None:
        self.lines: list[str] = []
        self.control = control or follow_control(None)
        self.callers: list[Caller] = []
        self.pause = handlers.Pause()
        self.table = table or (*handlers.TABLE, handlers.slow(self.pause), *more)
        self.layout = Layout({"route": routes(self.table)})
        self.scoreboard = scoreboard or Scoreboard(len(processes), self.layout.size)
        for index in range(len(processes)):
            self.scoreboard.slot(index).occupy(1000 + index, time.monotonic())
        self.totals = Totals(self.layout, self.scoreboard)
        self.store = store
        self.now = NOW
        self.reads = store or Store(NOWHERE)
        self.board = Board(StoredSnapshots(self.reads))
        self.trust = Telling(structs.replace(files().trust, proxies=proxies))
        self.gate = self.trust.gate = gate or self.trust.gate
        self.about = About(processes=processes, cycle_interval=60.0, store_kind="sqlite")
        self.server = self._make_server(ClientLimits(**limits), short=short)
        self.application: Application = self.server.request_callback  # type: ignore[assignment]
        self.services: Services = self.application.settings["services"]
        self.application.add_handlers(".*", [(f"{BASE}/stillborn", handlers.Stillborn)])
        self.replayed = 0
        """Requests that went Tornado's way."""
        self._start = self.server.state.start_request
        self.server.state.start_request = self._start_counted
        sock, self.port = bind_unused_port()
        self.server.add_socket(sock)

    def _make_server(self, limits: ClientLimits, *, short: bool) -> Server:
        settings = worker.WebSettings(
            about=self.about,
            store_url=NOWHERE,
            trust=self.trust,
            scoreboard=self.scoreboard,
            layout=self.layout,
            limits=limits,
            style=Style(),
            write_log=self.lines.extend,
            short_way=short,
            pages=PAGES,
            handbook=handbook(self.about, self.table),
            control=self.control,
        )
        self.context = ChildContext("web-0", self.scoreboard.slot(0), grace=20.0)
        return worker.make_server(
            settings, self.board, self.reads, self.context, table=self.table, clock=lambda: self.now
        )

    def _start_counted(self, *connections: Any) -> HTTPMessageDelegate:
        self.replayed += 1
        return self._start(*connections)

    @property
    def tally(self) -> Tally:
        """What the server counts with."""
        return self.server.state.tally

    def parts(self) -> Parts:
        """Give what an application of its own would be made from."""
        return Parts(
            about=self.about,
            board=self.board,
            store=self.reads,
            totals=self.totals,
            scoreboard=self.scoreboard,
            trust=self.trust,
            pages=PAGES,
            handbook=handbook(self.about, self.table),
            clock=lambda: self.now,
        )

    def add(self, *more: type[Handler]) -> None:
        """Serve more resources."""
        rules = [(f"{BASE}{handler.route}", Delivery, {"resource": handler}) for handler in more]
        self.application.add_handlers(".*", rules)

    async def publish(self, snapshot: Snapshot) -> None:
        """Store a snapshot, as the collector does, and take it."""
        assert self.store
        await save(self.store, snapshot, render(snapshot), [])
        await self.board.check()

    def identity(self, persona: str) -> Identity:
        """Tell what the certificate of a persona proves."""
        return identify([CREDENTIALS[persona].der, ROOT.der])

    def peer(self, persona: str) -> Peer:
        """Make the other end of a connection that needs none."""
        peer = Peer("127.0.0.1", self.gate)
        peer.proved(self.identity(persona))
        return peer

    def url(self, path: str) -> str:
        """Write an address as a client gives it."""
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
        """Ask below BASE, or anywhere when the path begins with two slashes, as a program does."""
        request = HTTPRequest(
            self.url(path[1:] if path.startswith("//") else BASE + path),
            method=method,
            headers={name.replace("_", "-"): value for name, value in fields.items()},
            body=body,
            ssl_options=careful(persona),
            decompress_response=False,
            follow_redirects=False,
            allow_nonstandard_methods=True,
        )
        asking = AsyncHTTPClient(force_instance=True)
        try:
            return await asking.fetch(request, raise_error=False)
        finally:
            asking.close()

    async def call(self, credential: pki.Credential | None = READER, **options: Any) -> Caller:
        """Connect a client that speaks byte by byte; `options` as `asyncio.open_connection` takes them."""
        options.setdefault("ssl", client(credential))
        if "sock" not in options:
            options |= {"host": "127.0.0.1", "port": self.port}
        caller = Caller(*await asyncio.open_connection(**options))
        self.callers.append(caller)
        return caller

    def requests(self) -> dict[tuple[str, ...], float]:
        """Give what was counted, by route, method and code."""
        return self.counted(REQUESTS)

    def failures(self) -> dict[str, float]:
        """Give the failed handshakes that were counted, by reason."""
        return {reason: count for (reason,), count in self.counted(HANDSHAKES_FAILED).items()}

    def counted(self, metric: Metric) -> dict[tuple[str, ...], float]:
        """Give what was counted of a metric, by its labels."""
        return {labels: count for labels, count in self.totals.samples(metric) if count}

    def logged(self) -> list[str]:
        """Give the lines of the access log from the identity on, without the duration."""
        self.server.state.access_log.flush()
        text = "".join(self.lines)
        return [line.partition("identity=")[2].rpartition(" duration=")[0] for line in text.splitlines()]

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds, while the sweep goes on."""
        async with asyncio.timeout(300):
            while not holds():
                self.server.tick()
                await asyncio.sleep(0.02)

    def later(self, seconds: float) -> None:
        """Let the sweep look as it would so much later."""
        for connection in list(self.server.live):
            connection.wire.sweep(time.monotonic() + seconds)

    async def end(self) -> None:
        """Cut everything."""
        self.server.stop()
        await self.server.close_all_connections()
        await self.services.hub.close()
        for caller in self.callers:
            await caller.close()
        if self.store is not None:
            await self.store.close()


@contextlib.asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Serving]:
    """Serve while the block runs."""
    served = Serving(**options)
    try:
        yield served
    finally:
        await served.end()


async def reluctant(served: Serving) -> Caller:
    """Connect a client that takes little before it is read from."""
    sock = socket.socket()
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", served.port))
    return await served.call(sock=sock, server_hostname="", limit=4096)

"""A worker's server over real mutual TLS, and clients for it."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from functools import cache
from typing import Any

from tornado.httputil import HTTPConnection, HTTPMessageDelegate
from tornado.testing import bind_unused_port

from rcmon.access.gate import Gate
from rcmon.access.handshake.credential import Credential
from rcmon.access.handshake.rehearsal import client_context
from rcmon.access.handshake.tls import server_context
from rcmon.access.names.dn import Dn
from rcmon.access.roles import RoleTable
from rcmon.model import Document
from rcmon.process.scoreboard import Scoreboard
from rcmon.store.notes import Note
from rcmon.telemetry.layout import Layout
from rcmon.telemetry.metric import Metric
from rcmon.telemetry.own import HANDSHAKES_FAILED, REQUESTS
from rcmon.telemetry.tally import Tally
from rcmon.web.about import BASE, About
from rcmon.web.app import make_app, routes, short_routes
from rcmon.web.base import Handler
from rcmon.web.board import Board
from rcmon.web.services import Parts
from rcmon.web.telemetry.totals import Totals
from rcmon.web.transport.accesslog import AccessLog, Style
from rcmon.web.transport.guard import ClientLimits
from rcmon.web.transport.server import Server
from tests.access import pki
from tests.web.caller import Caller
from tests.web.served import TABLE, Pause, Stillborn, slow

ROOT = pki.authority(pki.name("DC=ch", "CN=Root"))
HOST = pki.host(ROOT)
READER = pki.entity(pki.name("DC=ch", "CN=reader"), ROOT)
STRANGER = pki.entity(pki.name("DC=ch", "CN=stranger"), ROOT)


class NoStore:
    """A store without a snapshot."""

    notes: tuple[Note, ...] = ()

    async def newest_id(self) -> int | None:
        return None

    async def load_documents(self, number: int) -> list[Document]:
        raise AssertionError(number)


class NoTrust:
    """Certificates of which nothing is told."""

    def certificate_not_after(self) -> float | None:
        return None

    def crls(self) -> tuple[()]:
        return ()


class Counting(Server):
    """A server that counts the requests that went Tornado's way."""

    replayed = 0

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        self.replayed += 1
        return super().start_request(server_conn, request_conn)


@cache
def client(credential: pki.Credential | None = READER, *versions: ssl.TLSVersion) -> ssl.SSLContext:
    """Make the TLS context of a client."""
    sent = credential and Credential((credential.certificate, *credential.above), credential.key)  # type: ignore[arg-type]
    context = client_context(sent)
    if versions:
        context.minimum_version = context.maximum_version = versions[0]
    return context


def client_hello() -> bytes:
    """Write what a client says first."""
    outgoing = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        client().wrap_bio(ssl.MemoryBIO(), outgoing).do_handshake()
    return outgoing.read()


def roles_of(*readers: pki.Credential) -> RoleTable:
    """Write a table of readers."""
    names = [str(Dn.from_der(reader.certificate.subject.public_bytes())) for reader in readers]
    return RoleTable.parse(f"[roles]\nreader = {[f'dn:{name}' for name in names]!r}")


class Serving:
    """One worker's server with everything it counts and logs. `limits` as in `ClientLimits`."""

    def __init__(
        self,
        *,
        short: bool = True,
        gate: Gate | None = None,
        proxies: bool = True,
        scoreboard: Scoreboard | None = None,
        more: tuple[type[Handler], ...] = (),
        **limits: Any,
    ) -> None:
        self.lines: list[str] = []
        self.callers: list[Caller] = []
        self.pause = Pause()
        table = (*TABLE, slow(self.pause), *more)
        layout = Layout({"route": routes(table)})
        self.scoreboard = scoreboard or Scoreboard(1, layout.size)
        self.scoreboard.slot(0).occupy(1, 0.0)
        self.tally = Tally(layout, self.scoreboard.slot(0).cells)
        self.totals = Totals(layout, self.scoreboard)
        self.gate = gate or Gate(roles_of(READER))
        self.application = make_app(
            Parts(
                about=About(processes=("web-0",), cycle_interval=60.0, store_kind="sqlite"),
                board=Board(NoStore()),
                totals=self.totals,
                scoreboard=self.scoreboard,
                trust=NoTrust(),
                clock=lambda: 0.0,
            ),
            table,
        )
        self.application.add_handlers(".*", [(f"{BASE}/stillborn", Stillborn)])
        host = Credential((HOST.certificate,), HOST.key)  # type: ignore[arg-type]
        self.server = Counting(
            self.application,
            gate=self.gate,
            tally=self.tally,
            access_log=AccessLog(self.lines.append, "web-0", Style()),
            limits=ClientLimits(**limits),
            short_routes=short_routes(self.application.settings["services"], table) if short else {},
            ssl_options=server_context(host, [ROOT.certificate], proxies=proxies),
        )
        sock, self.port = bind_unused_port()
        self.server.add_socket(sock)

    async def call(self, credential: pki.Credential | None = READER, **options: Any) -> Caller:
        """Connect a client; `options` as `asyncio.open_connection` takes them."""
        options.setdefault("ssl", client(credential))
        if "sock" not in options:
            options |= {"host": "127.0.0.1", "port": self.port}
        caller = Caller(*await asyncio.open_connection(**options))
        self.callers.append(caller)
        return caller

    def requests(self) -> dict[tuple[str, str, str], float]:
        """Give what was counted, by route, method and code."""
        return self.counted(REQUESTS)

    def failures(self) -> dict[str, float]:
        """Give the failed handshakes that were counted, by reason."""
        return {reason: count for (reason,), count in self.counted(HANDSHAKES_FAILED).items()}

    def counted(self, metric: Metric) -> dict[Any, float]:
        """Give what was counted of a metric, by its labels."""
        return {labels: count for labels, count in self.totals.samples(metric) if count}

    def logged(self) -> list[str]:
        """Give the lines of the access log from the identity on, without the duration."""
        self.server.state.access_log.flush()
        text = "".join(self.lines)
        return [line.partition("identity=")[2].rpartition(" duration=")[0] for line in text.splitlines()]

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds, while the sweep goes on."""
        async with asyncio.timeout(20):
            while not holds():
                self.server.tick()
                await asyncio.sleep(0.02)

    async def end(self) -> None:
        """Cut everything."""
        self.server.stop()
        await self.server.close_all_connections()
        for caller in self.callers:
            await caller.close()


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

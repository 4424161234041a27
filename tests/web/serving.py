"""A worker's server over real mutual TLS with handlers of every kind, and clients that speak byte by byte."""

import asyncio
import contextlib
import hashlib
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import cache
from typing import Any

from msgspec import Struct
from tornado.httputil import HTTPConnection, HTTPMessageDelegate
from tornado.testing import bind_unused_port

from rcmon.access.credential import Credential
from rcmon.access.dn import Dn
from rcmon.access.gate import Gate
from rcmon.access.rehearsal import client_context
from rcmon.access.roles import Role, RoleTable
from rcmon.access.tls import server_context
from rcmon.model import Document
from rcmon.scoreboard import Scoreboard
from rcmon.web.about import About
from rcmon.web.accesslog import AccessLog, Style
from rcmon.web.app import make_app, routes, short_routes
from rcmon.web.auth import requires
from rcmon.web.base import Handler
from rcmon.web.board import Board
from rcmon.web.counters import Counters, Layout, Tally
from rcmon.web.guard import Limits
from rcmon.web.ready import Fresh, Ready
from rcmon.web.server import Server
from rcmon.web.services import Parts
from tests.access import pki

BASE = b"/wm_resource_monitor"
ROOT = pki.authority(pki.name("DC=ch", "CN=Root"))
HOST = pki.host(ROOT)
READER = pki.entity(pki.name("DC=ch", "CN=reader"), ROOT)
STRANGER = pki.entity(pki.name("DC=ch", "CN=stranger"), ROOT)
LARGE = random.Random(1).randbytes(3_000_000)


class SmallHandler(Handler):
    route = "/small"
    immediate = True
    ready = Ready(Fresh(b'{"small": true}\n'), "application/json")

    @requires(Role.READER)
    def get(self) -> Awaitable[None] | None:
        return self.send(self.ready)


class MiddleHandler(SmallHandler):
    """Worth compressing, and small enough for one write."""

    route = "/middle"
    ready = Ready(Fresh(b"all work and no play " * 500), "text/plain")

    @requires(Role.READER)
    def get(self) -> Awaitable[None] | None:
        return self.send(self.ready)


class LargeHandler(Handler):
    route = "/large"
    immediate = True
    ready = Ready(Fresh(LARGE), "application/octet-stream")

    @requires(Role.READER)
    def get(self) -> Awaitable[None] | None:
        return self.send(self.ready)


class AdminHandler(Handler):
    route = "/admin"
    immediate = True

    @requires(Role.ADMIN)
    def get(self) -> Awaitable[None] | None:
        return self.send(SmallHandler.ready)


class FailingHandler(Handler):
    """Fails behind its answer, which must not leave then."""

    route = "/failing"
    immediate = True

    @requires(Role.READER)
    def get(self) -> None:
        if self.short:
            self.send(SmallHandler.ready)
        raise ValueError("meant to fail")


class ReticentHandler(Handler):
    """Has nothing ready for the short way."""

    route = "/reticent"
    immediate = True

    @requires(Role.READER)
    def get(self) -> Awaitable[None] | None:
        return None if self.short else self.send(SmallHandler.ready)


class StillbornHandler(Handler):
    """Cannot even begin."""

    route = "/stillborn"

    def initialize(self) -> None:
        raise ValueError("meant to fail")

    @requires(Role.READER)
    def get(self) -> None:
        """Never run."""


class SlowHandler(Handler):
    """Answers when the test lets it."""

    route = "/slow"

    @requires(Role.READER)
    async def get(self) -> None:
        self.application.settings["began"].set()
        await self.application.settings["go_on"].wait()
        self.write(b"slow\n")


class EchoHandler(Handler):
    route = "/echo"

    @requires(Role.READER)
    def post(self) -> None:
        self.write(f"{len(self.request.body)} {hashlib.sha256(self.request.body).hexdigest()}\n")


TABLE = (
    SmallHandler, MiddleHandler, LargeHandler, AdminHandler, FailingHandler, ReticentHandler,
    StillbornHandler, SlowHandler, EchoHandler,
)  # fmt: skip


class NoStore:
    """A store without a snapshot."""

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


class Answer(Struct):
    """What came back; field names in lower case."""

    status: int
    fields: dict[str, str]
    body: bytes


class Caller:
    """One connection of a client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, method: str = "GET") -> Answer:
        """Read one answer; of an interim one too."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        fields: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            assert name.lower() not in fields, line
            fields[name.lower()] = value
        status = int(first.split(" ")[1])
        has_body = method != "HEAD" and status >= 200 and status not in (204, 304)
        return Answer(status, fields, await self._body(fields) if has_body else b"")

    async def _body(self, fields: dict[str, str]) -> bytes:
        if fields.get("transfer-encoding") != "chunked":
            return await self.reader.readexactly(int(fields["content-length"]))
        body = b""
        while size := int(await self.reader.readline(), 16):
            body += await self.reader.readexactly(size)
            await self.reader.readexactly(2)
        await self.reader.readexactly(2)
        return body

    async def ask(self, path: str, *fields: str, method: str = "GET", version: str = "1.1") -> Answer:
        """Send a canonical head and read its answer."""
        await self.send(head(path, *fields, method=method, version=version))
        return await self.answer(method)

    async def rest(self) -> bytes:
        """Read until the server ends the connection, by whatever means."""
        data = b""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while piece := await self.reader.read(65536):
                data += piece
        return data

    async def is_open(self) -> bool:
        """Tell whether one more request is answered."""
        try:
            return (await self.ask("/small")).status == 200
        except (OSError, asyncio.IncompleteReadError):
            return False

    async def close(self) -> None:
        """Cut the connection."""
        self.writer.transport.abort()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


def head(path: str, *fields: str, method: str = "GET", version: str = "1.1") -> bytes:
    """Write the head of a request below BASE."""
    start = f"{method} {BASE.decode()}{path} HTTP/{version}"
    return "\r\n".join([start, "Host: localhost", *fields, "", ""]).encode("latin-1")


@cache
def client(credential: pki.Credential | None = READER, *versions: ssl.TLSVersion) -> ssl.SSLContext:
    """Make the TLS context of a client."""
    sent = credential and Credential((credential.certificate, *credential.above), credential.key)  # type: ignore[arg-type]
    context = client_context(sent)
    if versions:
        context.minimum_version = context.maximum_version = versions[0]
    return context


def roles_of(*readers: pki.Credential) -> RoleTable:
    """Write a table of readers."""
    names = [str(Dn.from_der(reader.certificate.subject.public_bytes())) for reader in readers]
    return RoleTable.parse(f"[roles]\nreader = {[f'dn:{name}' for name in names]!r}")


class Serving:
    """One worker's server with everything it counts and logs. `limits` as in `Limits`."""

    def __init__(self, *, short: bool, gate: Gate | None = None, **limits: Any) -> None:
        self.lines: list[str] = []
        self.callers: list[Caller] = []
        table = routes(TABLE)
        layout = Layout(table)
        self.scoreboard = Scoreboard(1, layout.size)
        self.tally = Tally(layout, self.scoreboard.slot(0).cells)
        self.counters = Counters(layout, self.scoreboard)
        self.gate = gate or Gate(roles_of(READER))
        self.application = make_app(
            Parts(
                about=About(processes=("web-0",), cycle_interval=60.0, store_kind="sqlite"),
                board=Board(NoStore()),
                counters=self.counters,
                scoreboard=self.scoreboard,
                trust=NoTrust(),
                clock=lambda: 0.0,
            ),
            TABLE,
        )
        self.began = self.application.settings["began"] = asyncio.Event()
        self.go_on = self.application.settings["go_on"] = asyncio.Event()
        host = Credential((HOST.certificate,), HOST.key)  # type: ignore[arg-type]
        self.server = Counting(
            self.application,
            gate=self.gate,
            tally=self.tally,
            access_log=AccessLog(self.lines.append, "web-0", Style()),
            limits=Limits(**limits),
            short_routes=short_routes(TABLE) if short else {},
            ssl_options=server_context(host, [ROOT.certificate]),
        )
        sock, self.port = bind_unused_port()
        self.server.add_socket(sock)

    async def call(self, credential: pki.Credential | None = READER, **options: Any) -> Caller:
        """Connect a client."""
        options.setdefault("ssl", client(credential))
        caller = Caller(*await asyncio.open_connection("127.0.0.1", self.port, **options))
        self.callers.append(caller)
        return caller

    def requests(self) -> dict[tuple[str, str, str], float]:
        """Give what was counted, by route, method and code."""
        return {(route, method, code): count for route, method, code, count in self.counters.requests()}

    def failures(self) -> dict[str, float]:
        """Give the failed handshakes that were counted, by reason."""
        return {reason: count for reason, count in self.counters.handshake_failures() if count}

    def logged(self) -> list[str]:
        """Give the lines of the access log from the identity on, without the duration."""
        self.server.access_log.flush()
        text = "".join(self.lines)
        return [line.partition("identity=")[2].rpartition(" duration=")[0] for line in text.splitlines()]

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds, while the sweep goes on."""
        async with asyncio.timeout(20):
            while not holds():
                self.server.tick()
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Serving]:
    """Serve while the block runs."""
    served = Serving(**options)
    try:
        yield served
    finally:
        served.server.stop()
        await served.server.close_all_connections()
        for caller in served.callers:
            await caller.close()


def both_ways() -> Sequence[bool]:
    """Name the ways, for `pytest.mark.parametrize('short', both_ways())`."""
    return (True, False)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Cut bytes."""
    for start in range(0, len(data), size):
        yield data[start : start + size]

"""The short way and Tornado's way give one answer; a real curl is content with it."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Iterator
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest

from rcmon.access.roles import Role
from rcmon.web.about import BASE
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import CHUNK, Ready
from rcmon.web.answers.sending import pieces
from rcmon.web.app import short_routes
from rcmon.web.auth import requires
from rcmon.web.base import Handler
from tests.web.service import Service
from tests.web.tools import tool


class Short:
    """A connection that takes whole answers, as the server's short way does."""

    short = True

    def __init__(self, service: Service, persona: str) -> None:
        self.context = self
        self.service, self.persona = service, persona
        self.identity = service.identity(persona)
        self.taken: tuple[bytes, tuple[bytes, ...]] | None = None

    def decision(self) -> Any:
        return self.service.gate.decide(self.identity, self.service.server.clock())

    def put(self, head: bytes, parts: tuple[bytes, ...]) -> None:
        assert self.taken is None
        self.taken = (head, parts)


class ShortRequest(HTTPServerRequest):
    """A request that was parsed elsewhere."""

    def __init__(self, connection: Short, path: str, fields: dict[str, str]) -> None:
        self.__dict__.update(
            connection=connection, method="GET", path=path, query="", headers=HTTPHeaders(fields)
        )


def ask_short(
    service: Service, handler: type[Handler], persona: str = "reader", **fields: str
) -> tuple[bytes, tuple[bytes, ...]] | None:
    connection = Short(service, persona)
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    answering = handler(service.app, ShortRequest(connection, BASE + handler.route, headers))
    answering.get()
    return connection.taken


@pytest.mark.parametrize("path", sorted(short_routes()))
@pytest.mark.parametrize("accepted", ["identity", "gzip", "gzip, deflate, br, zstd"])
async def test_both_ways_give_one_answer(service: Service, path: str, accepted: str) -> None:
    handler = short_routes()[path]
    short = ask_short(service, handler, Accept_Encoding=accepted)
    stock = await service.ask(handler.route, Accept_Encoding=accepted)
    if short is None:
        # too large to hold inflated
        assert accepted == "identity"
        assert len(stock.body) > CHUNK
        return
    head, parts = short
    start, *lines = head.decode("latin-1").split("\r\n")
    assert start == "HTTP/1.1 200 OK"
    assert lines[-1] == ""
    fields = dict(line.split(": ", 1) for line in lines[:-1])
    expected = {name: value for name, value in stock.headers.items() if name not in ("Date", "Connection")}
    assert HTTPHeaders(fields) == HTTPHeaders(expected)
    assert b"".join(parts) == stock.body


@pytest.mark.parametrize("path", sorted(short_routes()))
async def test_both_ways_answer_a_condition_alike(service: Service, path: str) -> None:
    handler = short_routes()[path]
    etag = (await service.ask(handler.route, Accept_Encoding="gzip")).headers["Etag"]
    short = ask_short(service, handler, Accept_Encoding="gzip", If_None_Match=etag)
    stock = await service.ask(handler.route, Accept_Encoding="gzip", If_None_Match=etag)
    assert short is not None
    assert stock.code == 304
    head, parts = short
    assert parts == ()
    assert head.startswith(b"HTTP/1.1 304 Not Modified\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:-1])
    expected = {name: value for name, value in stock.headers.items() if name not in ("Date", "Connection")}
    assert HTTPHeaders(fields) == HTTPHeaders(expected)


@pytest.mark.parametrize("path", sorted(short_routes()))
async def test_the_short_way_checks_the_role(service: Service, path: str) -> None:
    handler = short_routes()[path]
    with pytest.raises(Problem) as caught:
        ask_short(service, handler, "stranger")
    assert caught.value.status_code == 403


async def test_the_short_way_leaves_what_it_cannot_answer(empty_service: Service) -> None:
    with pytest.raises(Problem) as caught:
        ask_short(empty_service, short_routes()[f"{BASE}/api/sites"])
    assert caught.value.status_code == 503
    with pytest.raises(Problem) as caught:
        ask_short(empty_service, short_routes()[f"{BASE}/api/status"], Accept_Encoding="*;q=0")
    assert caught.value.status_code == 406


class Endless:
    """A body of 64 MB that notes how much of it was taken."""

    size = 2000 * CHUNK
    digest = "endless"
    taken = 0

    def identity(self) -> None:
        return None

    def gzip(self) -> tuple[bytes, ...]:
        raise NotImplementedError

    def chunks(self) -> Iterator[bytes]:
        for _ in range(2000):
            self.taken += CHUNK
            yield bytes(CHUNK)


async def test_a_reader_that_stalls_stops_the_body_from_being_made(service: Service) -> None:
    body = Endless()

    class Large(Handler):
        route = "/large"

        @requires(Role.READER)
        def get(self) -> Awaitable[None] | None:
            return self.send(Ready(body, "application/octet-stream"))

    service.app.add_handlers(".*", [(f"{BASE}/large", Large)])
    client = service.pki.clients["reader"]
    reader, writer = await asyncio.open_connection("localhost", service.port, ssl=client, limit=1024)
    writer.write(f"GET {BASE}/large HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    before = -1
    while body.taken != before or not body.taken:
        before = body.taken
        await asyncio.sleep(0.3)
    # the kernel's buffers of both ends take a few MB, the server holds one chunk
    assert body.taken < body.size / 4
    writer.transport.abort()
    del reader


def test_pieces_are_small() -> None:
    parts = (b"head", b"x" * (3 * CHUNK + 5), b"", b"tail")
    cut = list(pieces(parts))
    assert b"".join(cut) == b"".join(parts)
    assert max(map(len, cut)) == CHUNK


async def curl(service: Service, *arguments: str) -> tuple[int, bytes]:
    command = await asyncio.create_subprocess_exec(
        tool("curl"), "-sS", "--cacert", str(service.pki.ca_file), *arguments, stdout=PIPE, stderr=PIPE
    )
    output, errors = await command.communicate()
    return command.returncode or 0, output + errors


async def test_the_real_curl(service: Service) -> None:
    reader = ("--cert", str(service.pki.files["reader"]))
    url = service.url(BASE)
    code, output = await curl(service, *reader, "--compressed", f"{url}/api/sites/T1_US_FNAL?pretty")
    assert code == 0
    assert b'  "name": "T1_US_FNAL"' in output
    code, output = await curl(
        service, *reader, "-o", "/dev/null", "-w", "%{http_code}", "-I", f"{url}/api/status"
    )
    assert (code, output) == (0, b"200")
    code, output = await curl(service, *reader, "-g", "--path-as-is", f"{url}/static/../../etc/passwd")
    assert b'"status":404' in output
    code, _ = await curl(service, f"{url}/api/status")
    assert code != 0  # no certificate, no answer

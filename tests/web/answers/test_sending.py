"""The short way and Tornado's way give one answer; a real curl is content with it."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import Iterator

import pytest
from tornado.httpclient import HTTPResponse

from rcmon.access.roles import Role
from rcmon.telemetry.own import SHORT_WAY_FALLBACKS
from rcmon.web.about import BASE
from rcmon.web.answers.problems import Problem
from rcmon.web.answers.ready import CHUNK, KEPT, Ready
from rcmon.web.answers.sending import pieces
from rcmon.web.app import TABLE, short_routes
from rcmon.web.auth import requires
from rcmon.web.base import Handler
from rcmon.web.transport.request import Request
from tests.web.pki import careful, files
from tests.web.serving import Serving
from tests.web.tools import tool

PATHS = [handler.route for handler in TABLE if handler.immediate]


async def ask_both(service: Serving, path: str, **fields: str) -> tuple[HTTPResponse, HTTPResponse]:
    """Ask on the short way and, by a field that may change the framing, on Tornado's."""
    before = service.replayed
    short = await service.ask(path, **fields)
    between = service.replayed
    stock = await service.ask(path, TE="trailers", **fields)
    assert (between, service.replayed) == (before, before + 1)
    return short, stock


def alike(short: HTTPResponse, stock: HTTPResponse) -> None:
    def fields(answer: HTTPResponse) -> dict[str, str]:
        return {name: value for name, value in answer.headers.items() if name not in ("Date", "X-Request-Id")}

    assert short.code == stock.code
    assert fields(short) == fields(stock)
    assert short.body == stock.body


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("accepted", ["identity", "gzip", "gzip, deflate, br, zstd"])
@pytest.mark.usefixtures("answers_last")
async def test_both_ways_give_one_answer(service: Serving, path: str, accepted: str) -> None:
    if path in ("/api/sites", "/api/metrics") and accepted == "identity":
        pytest.skip("too large to be held inflated: it is for Tornado's way alone")
    alike(*await ask_both(service, path, Accept_Encoding=accepted))


async def test_a_body_too_large_to_hold_inflated_is_left_to_tornado_and_counted(service: Serving) -> None:
    before = service.replayed
    answer = await service.ask("/api/sites", Accept_Encoding="identity")
    assert len(answer.body) > KEPT
    assert service.replayed == before + 1
    assert service.counted(SHORT_WAY_FALLBACKS) == {("/api/sites", "unready"): 1.0}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.usefixtures("answers_last")
async def test_both_ways_answer_a_condition_alike(service: Serving, path: str) -> None:
    etag = (await service.ask(path, Accept_Encoding="gzip")).headers["Etag"]
    short, stock = await ask_both(service, path, Accept_Encoding="gzip", If_None_Match=etag)
    assert (short.code, short.body) == (304, b"")
    alike(short, stock)


@pytest.mark.parametrize("path", PATHS)
def test_the_short_way_checks_the_role(service: Serving, path: str) -> None:
    request = Request("GET", BASE + path, {}, service.peer("stranger"))
    answer = short_routes(service.services)[BASE + path].bind(request)
    with pytest.raises(Problem) as caught:
        answer()
    assert caught.value.status_code == 403
    assert request.authorized == ("reader", "denied")


async def test_the_short_way_leaves_errors_to_tornado_and_counts_them(empty_service: Serving) -> None:
    assert (await empty_service.ask("/api/sites")).code == 503
    assert (await empty_service.ask("/api/status", Accept_Encoding="*;q=0")).code == 406
    assert (await empty_service.ask("/api/status", "stranger")).code == 403
    assert empty_service.counted(SHORT_WAY_FALLBACKS) == {
        ("/api/sites", "problem"): 1.0,
        ("/api/status", "problem"): 1.0,
        ("/api/status", "unready"): 1.0,
    }


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


async def test_a_reader_that_stalls_stops_the_body_from_being_made(service: Serving) -> None:
    body = Endless()

    class Large(Handler):
        route = "/large"

        @requires(Role.READER)
        def get(self) -> Ready:
            return Ready(body, "application/octet-stream")

    service.add(Large)
    client = careful("reader")
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


async def curl(service: Serving, *arguments: str) -> tuple[int, bytes]:
    command = await asyncio.create_subprocess_exec(
        tool("curl"), "-sS", "--cacert", str(files().ca_file), *arguments, stdout=PIPE, stderr=PIPE
    )
    output, errors = await command.communicate()
    return command.returncode or 0, output + errors


async def test_the_real_curl(service: Serving) -> None:
    reader = ("--cert", str(files().personas["reader"]))
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

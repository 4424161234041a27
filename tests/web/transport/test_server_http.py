"""HTTP/1.1 and 1.0 as clients speak it: the same on the short way and on Tornado's."""

import asyncio
import hashlib

import pytest

from rcmon.telemetry.own import DECISIONS
from tests.web.caller import BASE, head, pieces
from tests.web.pki import STRANGER
from tests.web.served import LARGE
from tests.web.serving import Serving, serving

pytestmark = pytest.mark.parametrize("short", [True, False], ids=["short way", "Tornado's way"])


def took_its_way(served: Serving, short: bool, plain: int) -> bool:
    """Hold that so many plain requests went the way that is tested."""
    return served.replayed == (0 if short else plain)


async def test_keep_alive(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        for _ in range(5):
            answer = await caller.ask("/small")
            assert (answer.status, answer.body) == (200, b'{"small": true}\n')
            assert "connection" not in answer.fields
        assert took_its_way(served, short, 5)
        assert served.requests() == {("/small", "GET", "200"): 5.0}


async def test_connection_close(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        assert (await caller.ask("/small")).status == 200
        assert (await caller.ask("/small", "Connection: close")).fields["connection"] == "close"
        assert await caller.rest() == b""
        assert took_its_way(served, short, 2)


async def test_http_1_0_ends_the_connection(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        answer = await caller.ask("/small", version="1.0")
        assert (answer.status, answer.body) == (200, b'{"small": true}\n')
        assert "connection" not in answer.fields
        assert await caller.rest() == b""
        assert took_its_way(served, short, 1)


async def test_http_1_0_keep_alive(short: bool) -> None:
    """As `ab -k` asks for it."""
    async with serving(short=short) as served:
        caller = await served.call()
        for _ in range(3):
            answer = await caller.ask("/small", "Connection: Keep-Alive", version="1.0")
            assert answer.fields["connection"] == "Keep-Alive"
        assert took_its_way(served, short, 3)
        assert await caller.is_open()


async def test_head(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        for path in ("/small", "/middle", "/large"):
            got = await caller.ask(path)
            answer = await caller.ask(path, method="HEAD")
            for field in ("date", "x-request-id"):
                del got.fields[field], answer.fields[field]
            assert (answer.status, answer.fields) == (200, got.fields)
        assert took_its_way(served, short, 6)
        assert served.requests()["/large", "HEAD", "200"] == 1


async def test_if_none_match(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        etag = (await caller.ask("/middle")).fields["etag"]
        packed = (await caller.ask("/middle", "Accept-Encoding: gzip")).fields["etag"]
        assert packed != etag
        for condition in (etag, f"W/{etag}", f'"x", {etag}', "*"):
            answer = await caller.ask("/middle", f"If-None-Match: {condition}")
            assert (answer.status, answer.body) == (304, b"")
            assert answer.fields["etag"] == etag
            assert "content-length" not in answer.fields
        assert (await caller.ask("/middle", f"If-None-Match: {packed}")).status == 200
        assert took_its_way(served, short, 7)


async def test_pipelining(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        await caller.send(head("/small") * 100 + head("/middle") + head("/small", "Connection: close") * 2)
        answers = [await caller.answer() for _ in range(102)]
        assert [answer.status for answer in answers] == [200] * 102
        assert len(answers[100].body) == 10500
        assert await caller.rest() == b""
        assert took_its_way(served, short, 102)


async def test_pipelining_mixed_with_bodies_and_asynchronous_handlers(short: bool) -> None:
    async with serving(short=short) as served:
        served.pause.go_on.set()
        caller = await served.call()
        post = head("/echo", "Content-Length: 20000", method="POST") + b"a" * 20000
        chunked = head("/echo", "Transfer-Encoding: chunked", method="POST") + b"3\r\nabc\r\n0\r\n\r\n"
        plain, slow = head("/small"), head("/slow")
        await caller.send(plain + post + plain + slow + chunked + plain + slow + plain)
        bodies = [(await caller.answer()).body.split(b" ")[0] for _ in range(8)]
        small = b'{"small":'
        assert bodies == [small, b"20000", small, b"slow\n", b"3", small, b"slow\n", small]
        assert await caller.is_open()


@pytest.mark.parametrize("size", [1, 7, 60])
async def test_heads_in_pieces(short: bool, size: int) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        await caller.ask("/small")
        data = head("/small") * 2 + head("/middle") + head("/small")
        for piece in pieces(data, size):
            await caller.send(piece)
            await asyncio.sleep(0)
        assert [(await caller.answer()).status for _ in range(4)] == [200] * 4
        assert took_its_way(served, short, 5)


async def test_a_request_and_the_begin_of_the_next(short: bool) -> None:
    """Whatever the boundary of two TLS records is, no byte is lost and none is taken twice."""
    async with serving(short=short) as served:
        caller = await served.call()
        one = head("/small")
        await caller.ask("/small")
        for cut in (1, 10, len(one) - 1, len(one), len(one) + 1, 2 * len(one) - 1):
            data = one * 2
            await caller.send(data[:cut])
            await asyncio.sleep(0.01)
            await caller.send(data[cut:])
            assert [(await caller.answer()).status for _ in range(2)] == [200, 200], cut


async def test_line_feeds_alone(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        await caller.send(head("/small").replace(b"\r\n", b"\n") * 2)
        assert [(await caller.answer()).status for _ in range(2)] == [200, 200]
        assert await caller.is_open()


async def test_an_empty_line_before_a_request(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        await caller.send(b"\r\n" + head("/small"))
        assert (await caller.answer()).status == 200


@pytest.mark.parametrize("size", [0, 1, 8192, 500_000, 1 << 20])
async def test_bodies_arrive_whole(short: bool, size: int) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        body = LARGE[:size]
        expected = f"{size} {hashlib.sha256(body).hexdigest()}\n".encode()
        await caller.send(head("/echo", f"Content-Length: {size}", method="POST") + body)
        assert (await caller.answer()).body == expected
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces(body, 3000))
        data = head("/echo", "Transfer-Encoding: chunked", method="POST") + chunks + b"0\r\n\r\n"
        for piece in pieces(data, 10_007):
            await caller.send(piece)
        assert (await caller.answer()).body == expected
        assert await caller.is_open()


async def test_a_body_byte_by_byte(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        chunked = (
            head("/echo", "Transfer-Encoding: chunked", method="POST") + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        )
        for piece in pieces(head("/echo", "Content-Length: 5", method="POST") + b"abcde" + chunked, 1):
            await caller.send(piece)
            await asyncio.sleep(0)
        for _ in range(2):
            assert (await caller.answer()).body.startswith(
                b"5 " + hashlib.sha256(b"abcde").hexdigest().encode()
            )
        assert await caller.is_open()


async def test_expect_100_continue(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        await caller.send(head("/echo", "Content-Length: 3", "Expect: 100-continue", method="POST"))
        assert (await caller.answer()).status == 100
        await caller.send(b"abc")
        assert (await caller.answer()).body.startswith(b"3 ")
        assert served.requests() == {("/echo", "POST", "200"): 1.0}


async def test_a_get_with_a_body(short: bool) -> None:
    """It is refused with its body, which is no request, nor is what follows it."""
    async with serving(short=short) as served:
        caller = await served.call()
        await caller.send(head("/small", "Content-Length: 44") + head("/admin")[:44] + head("/middle"))
        answer = await caller.answer()
        assert (answer.status, answer.fields["connection"]) == (413, "close")
        ending = asyncio.create_task(caller.rest())
        await served.until(ending.done)
        assert ending.result() == b""
        assert served.requests() == {("/small", "GET", "413"): 1.0}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/admin", 403),
        ("GET", "/nowhere", 404),
        ("POST", "/nowhere", 404),
        ("POST", "/small", 405),
        ("BREW", "/small", 405),
        ("GET", "/failing", 500),
        ("GET", "/small?unknown=1", 400),
        ("GET", "/small%00", 400),
    ],
)
async def test_errors_leave_the_connection_open(
    short: bool, method: str, path: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        for _ in range(2):
            answer = await caller.ask(
                path, *(["Content-Length: 0"] if method != "GET" else []), method=method
            )
            assert answer.status == status
            assert answer.fields["content-type"] == "application/problem+json"
        assert await caller.is_open()
        codes = {
            code for route, _, code in served.requests() if route != "/small" or path.startswith("/small")
        }
        assert str(status) in codes
        assert sum(served.requests().values()) == 3
    assert ("failed" in caplog.text) == (status == 500)


async def test_a_stranger_is_refused_on_every_request(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call(STRANGER)
        for _ in range(3):
            answer = await caller.ask("/small")
            assert answer.status == 403
            assert b"CN=stranger" in answer.body
        assert served.counted(DECISIONS)["reader", "denied"] == 3.0


HOSTLESS = b"GET " + BASE + b"/small HTTP/1.1\r\n\r\n"
BAD = {
    "no host": HOSTLESS,
    "two hosts": head("/small", "Host: other"),
    "two hosts in one": head("/small").replace(b"localhost", b"a, b"),
    "odd host": head("/small").replace(b"localhost", b"a b"),
    "no head": b"\r\n\r\n",
    "garbage": b"\x16\x03\x01 nonsense\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\n",
    "a folded field": head("/small", "A: 1", " 2"),
    "a space before the colon": head("/small", "A : 1"),
    "a field without a colon": head("/small", "A"),
    "NUL": head("/small", "A: \0"),
    "two lengths": head("/echo", "Content-Length: 1", "Content-Length: 2", method="POST") + b"ab",
    "a negative length": head("/echo", "Content-Length: -1", method="POST"),
    "a length with a sign": head("/echo", "Content-Length: +1", method="POST") + b"a",
    "length and chunks": head("/echo", "Content-Length: 3", "Transfer-Encoding: chunked", method="POST")
    + b"0\r\n\r\n",
    "another coding": head("/echo", "Transfer-Encoding: gzip", method="POST"),
    "an odd chunk": head("/echo", "Transfer-Encoding: chunked", method="POST") + b"x\r\n",
    "a long chunk line": head("/echo", "Transfer-Encoding: chunked", method="POST") + b"0" * 100,
    "an unended chunk": head("/echo", "Transfer-Encoding: chunked", method="POST") + b"1\r\nabc\r\n",
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
async def test_what_is_no_request_gets_a_400(short: bool, data: bytes) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        assert (await caller.ask("/small")).status == 200
        await caller.send(data)
        answer = await caller.answer()
        assert answer.status == 400
        assert answer.fields["content-type"] == "application/problem+json"
        assert answer.fields["connection"] == "close"
        assert answer.fields["x-content-type-options"] == "nosniff"
        assert sum(count for (_, _, code), count in served.requests().items() if code == "400") == 1
        assert sum(served.requests().values()) == 2
        assert len(served.logged()) == 2


async def test_what_follows_no_request_is_none_either(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        await caller.send(HOSTLESS + head("/small") * 3)
        assert (await caller.answer()).status == 400
        rest = asyncio.create_task(caller.rest())
        await served.until(rest.done)
        assert rest.result() == b""
        assert served.requests() == {("other", "GET", "400"): 1.0}


async def test_a_head_of_70_kilobytes(short: bool) -> None:
    async with serving(short=short) as served:
        for data in (
            head("/small", f"A: {'a' * 70_000}"),
            head("/" + "a" * 70_000),
            head("/small", *["A: a"] * 12_000),
        ):
            caller = await served.call()
            await caller.send(data)
            answer = await caller.answer()
            assert answer.status == 431
            assert b"64 KiB" in answer.body
        assert served.requests() == {("other", "GET", "431"): 3.0}


async def test_a_head_of_60_kilobytes(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        for _ in range(2):
            assert (await caller.ask("/small", f"A: {'a' * 60_000}")).status == 200
        assert await caller.is_open()

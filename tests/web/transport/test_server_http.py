"""HTTP/1.1 and 1.0 as clients speak it: the same on the short way and on Tornado's."""

import asyncio
import hashlib

import msgspec
import pytest

from rcmon.telemetry.own import DECISIONS, REQUESTS_REFUSED
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
CHUNKED = "Transfer-Encoding: chunked"


def asked_of(host: str, *fields: str, version: str = "1.1") -> bytes:
    return head("/small", *fields, version=version).replace(b"localhost", host.encode("latin-1"))


def aimed(target: str, method: str = "GET") -> bytes:
    return head("", method=method).replace(BASE, target.encode())


def posted(*fields: str, body: bytes = b"", version: str = "1.1") -> bytes:
    return head("/echo", *fields, method="POST", version=version) + body


BAD = {
    "no host": (HOSTLESS, "host"),
    "two hosts": (head("/small", "Host: localhost"), "host"),
    "two hosts in one": (asked_of("a, b"), "host"),
    "odd host": (asked_of("a b"), "host"),
    "empty host": (asked_of(""), "host"),
    "empty host of HTTP/1.0": (asked_of("", version="1.0"), "host"),
    "port 0": (asked_of("localhost:0"), "host"),
    "port 65536": (asked_of("localhost:65536"), "host"),
    "a port with a sign": (asked_of("localhost:+1"), "host"),
    "no address in brackets": (asked_of("[localhost]"), "host"),
    "somebody's name": (asked_of("user@localhost"), "host"),
    "no head": (b"\r\n\r\n", "host"),
    "garbage": (b"\x16\x03\x01 nonsense\r\n\r\n", "host"),
    "HTTP/0.9": (b"GET /\r\n\r\n", "host"),
    "another version": (head("/small", version="2.0"), "malformed"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\n", "target"),
    "an asterisk": (aimed("*"), "target"),
    "an authority": (aimed("localhost:443"), "target"),
    "a bare name": (aimed("small"), "target"),
    "an address of somebody": (aimed("https://user@localhost/"), "host"),
    "an address of nobody": (aimed("https:///small"), "host"),
    "an address with a part of a page": (aimed("https://localhost/#a"), "target"),
    "an address and no host": (HOSTLESS.replace(BASE, b"https://localhost" + BASE), "host"),
    "an address and two hosts": (
        head("/small", "Host: localhost").replace(BASE, b"https://localhost"),
        "host",
    ),
    "a folded field": (head("/small", "A: 1", " 2"), "malformed"),
    "a space before the colon": (head("/small", "A : 1"), "malformed"),
    "a field without a colon": (head("/small", "A"), "malformed"),
    "an underscore": (head("/small", "Content_Length: 1"), "field_name"),
    "NUL": (head("/small", "A: \0"), "malformed"),
    "line feeds alone": (head("/small").replace(b"\r\n", b"\n"), "line_end"),
    "one line feed alone": (head("/small", "A: 1\nB: 2"), "line_end"),
    "a carriage return alone": (head("/small", "A: 1\rB: 2"), "line_end"),
    "two lengths": (posted("Content-Length: 1", "Content-Length: 2", body=b"ab"), "length"),
    "a length twice": (posted("Content-Length: 1", "content-length: 1", body=b"a"), "length"),
    "a length twice in one": (posted("Content-Length: 1, 1", body=b"a"), "length"),
    "a negative length": (posted("Content-Length: -1"), "malformed"),
    "a length with a sign": (posted("Content-Length: +1", body=b"a"), "malformed"),
    "length and chunks": (posted("Content-Length: 3", CHUNKED, body=b"0\r\n\r\n"), "framing"),
    "chunks of HTTP/1.0": (posted(CHUNKED, body=b"0\r\n\r\n", version="1.0"), "framing"),
    "another coding": (posted("Transfer-Encoding: gzip"), "malformed"),
    "an odd chunk": (posted(CHUNKED, body=b"x\r\n"), "malformed"),
    "a long chunk line": (posted(CHUNKED, body=b"0" * 100), "malformed"),
    "an unended chunk": (posted(CHUNKED, body=b"1\r\nabc\r\n"), "malformed"),
}


ELSEWHERE = {
    "a foreign address": (aimed("https://evil.example/small"), 421, "foreign_host"),
    "an address of plain HTTP": (aimed(f"http://localhost{BASE.decode()}/small"), 421, "foreign_host"),
    "a foreign host": (asked_of("evil.example"), 421, "foreign_host"),
    "a foreign host below ours": (asked_of("localhost.evil.example:5000"), 421, "foreign_host"),
    "a foreign host of HTTP/1.0": (asked_of("evil.example", version="1.0"), 421, "foreign_host"),
    "a tunnel": (aimed("localhost:443", "CONNECT"), 501, "method"),
    "a tunnel to a path": (head("/small", method="CONNECT"), 501, "method"),
}


async def test_what_is_no_request_for_us_is_refused(short: bool) -> None:
    async with serving(short=short) as served:
        for what, (data, reason) in BAD.items():
            await is_refused(served, data, 400, reason, what)
        for what, (data, status, reason) in ELSEWHERE.items():
            await is_refused(served, data, status, reason, what)


async def test_an_address_is_asked_for_as_its_path_is(short: bool) -> None:
    """What is sent to a proxy (RFC 9112, 3.2.2); its host counts, whatever the Host field says."""
    async with serving(short=short) as served:
        caller = await served.call()
        for authority in ("localhost", "LOCALHOST:5000", "[::1]:443"):
            asked = aimed(f"HTTPS://{authority}{BASE.decode()}/small")
            for data in (asked, asked.replace(b"Host: localhost", b"hOST:\tevil.example")):
                await caller.send(data)
                answer = await caller.answer()
                assert (answer.status, answer.body) == (200, b'{"small": true}\n')
        await caller.send(aimed("https://localhost?a=b", "OPTIONS"))
        assert (await caller.answer()).status == 404  # the root, which is none of these
        assert await caller.is_open()


async def is_refused(served: Serving, data: bytes, status: int, reason: str, what: str) -> None:
    """Hold that a request behind a good one gets this answer alone, and is counted and logged once."""
    refused, lines = served.counted(REQUESTS_REFUSED), len(served.logged())
    answered = sum(served.requests().values())
    caller = await served.call()
    assert (await caller.ask("/small")).status == 200
    await caller.send(data)
    answer = await caller.answer()
    assert answer.status == status, what
    assert answer.fields["content-type"] == "application/problem+json", what
    assert answer.fields["connection"] == "close", what
    assert answer.fields["x-content-type-options"] == "nosniff", what
    assert msgspec.json.decode(answer.body)["detail"].endswith("."), what
    counted = served.counted(REQUESTS_REFUSED)
    assert counted == {**refused, (reason,): refused.get((reason,), 0.0) + 1.0}, what
    assert sum(served.requests().values()) == answered + 2, what
    assert len(served.logged()) == lines + 2, what
    await caller.close()


@pytest.mark.parametrize("method", ["TRACE", "BREW"])
async def test_a_method_that_nobody_takes_is_counted_as_refused(short: bool, method: str) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        answer = await caller.ask("/small", method=method)
        assert (answer.status, answer.fields["allow"]) == (405, "GET, HEAD, OPTIONS")
        assert served.counted(REQUESTS_REFUSED) == {("method",): 1.0}
        assert await caller.is_open()


OURS = ["localhost", "LOCALHOST:5000", "localhost.", "127.0.0.1:1", "[::1]:65535", "[2001:DB8::1]", "rcmon"]


async def test_the_service_is_asked_by_its_names(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        for host in OURS:
            await caller.send(asked_of(host))
            assert (await caller.answer()).status == 200, host
        assert took_its_way(served, short, len(OURS))
        await caller.send(HOSTLESS.replace(b"1.1", b"1.0"))
        assert (await caller.answer()).status == 200


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

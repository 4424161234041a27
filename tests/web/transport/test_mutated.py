"""Many thousands of mutated requests: nothing falls, nothing fails, and both ways say the same.

`RCMON_TEST_MUTATED=1000000` is the long form. The requests follow from their number alone.
"""

import asyncio
import os
import random
import re

import pytest

from rcmon.access.identity import Identity
from rcmon.web.transport import connection
from tests.web.caller import head
from tests.web.served import ECHOED
from tests.web.serving import Serving, serving
from tests.web.transport.cleartext import said_to

COUNT = int(os.environ.get("RCMON_TEST_MUTATED", "20000"))
TOGETHER = 2
"""Requests that are sent on one connection; what follows a refused one is none."""
AT_ONCE = 50
END = head("/middle", "Connection: close", "X-Probe: 1") * 8
"""Sent behind all: ends the connection, even where a request before takes part of it for its body."""
CHUNKED = head("/echo", "Transfer-Encoding: chunked", method="POST")
WHOLE = [
    head("/small"),
    head("/small", "Accept-Encoding: gzip", "User-Agent: curl/8"),
    head("/small", "Connection: keep-alive", method="HEAD"),
    head("/small", "Connection: Keep-Alive", version="1.0"),
    head("/middle", "Accept-Encoding: gzip", "If-None-Match: *"),
    head("/admin"),
    head("/reticent"),
    head("/nowhere?a=1&b=%20"),
    head("/small?pretty", "Accept: text/html"),
    head("/small", "Cookie: a=b", "X-Request-Id: mine", method="OPTIONS"),
    head("/echo", "Content-Length: 5", method="POST") + b"hello",
    CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
    CHUNKED + b"1;a=b\r\nx\r\n0\r\nTrailer: 1\r\n\r\n",
]
"""Good requests."""
FIELDS = [
    *(b"Host: x", b"Host:", b"Host: localhost:0", b"Host: a.b", b"host: localhost"),
    *(b"Content-Length: 5", b"Content-Length: 5, 5", b"Content-Length: +1", b"Content-Length: 99999999999"),
    *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip", b"transfer-encoding: identity"),
    *(b"Expect: 100-continue", b"Upgrade: h2c", b"TE: trailers", b"Connection: close", b"Connection: x"),
    *(b"A_B: 1", b"A B: 1", b": 1", b"A", b" folded", b"Range: bytes=0-1", b"Accept: ,;q=", b"A: \xff"),
]
OCTETS = [b"", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b":", b"\x00", b"\x7f", b"\xff", b"%", b"%00"]
OCTETS += [b"?", b"#", b"*", b"/", b"//", b"..", b"@", b"_", b",", b";", b"0", b"a" * 9000]
STARTS = [b"CONNECT", b"TRACE", b"GET", b"PRI", b"get", b"G\xcbT", b"", b"OPTIONS"]
EVERY = {"200", "304", "400", "403", "404", "405", "413", "421", "501"}
"""Each of these is met."""
SERVER_ERROR = re.compile(rb"HTTP/1\.1 5(?!01)")


def mutated(rng: random.Random) -> bytes:
    """Take a good request, and spoil it in one or two places."""
    data = rng.choice(WHOLE)
    for _ in range(rng.choice((1, 1, 1, 2))):
        data = rng.choice((_octets, _octets, _octets, _field, _field, _start, _cut))(rng, data)
    return data


def _octets(rng: random.Random, data: bytes) -> bytes:
    place = rng.randrange(len(data) + 1)
    return data[:place] + rng.choice(OCTETS) + data[place + rng.randrange(3) :]


def _field(rng: random.Random, data: bytes) -> bytes:
    first, end, rest = data.partition(b"\r\n")
    return first + end + rng.choice(FIELDS) + end + rest


def _start(rng: random.Random, data: bytes) -> bytes:
    method, blank, rest = data.partition(b" ")
    target, _, rest = rest.partition(b" ")
    odd = rng.choice((b"*", b"localhost:443", b"http://x/", b"https://localhost/", b"", b"x", target))
    return rng.choice((method, *STARTS)) + blank + odd + blank + rest


def _cut(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def normal(answers: bytes) -> list[bytes]:
    """Leave out what two servers may say differently, and the order of fields."""
    same = re.sub(rb"\r\n(Date|X-Request-Id): [^\r]*", b"", answers)
    lines = re.sub(rb"(?s)\x1f\x8b\x08\0....", b"", same).split(b"\r\n")  # gzip has the time
    return sorted(re.sub(rb"^[A-Za-z-]+:", lambda name: name[0].lower(), line) for line in lines)


async def compare(servers: list[Serving], who: Identity, data: bytes) -> None:
    """Send the same to both servers."""
    async with asyncio.timeout(600):
        short, stock = [await said_to(server, who, data + END) for server in servers]
    assert normal(short) == normal(stock), data
    assert not SERVER_ERROR.search(short), data


async def tick(servers: list[Serving]) -> None:
    """Do what a worker does every second, without its waiting."""
    while True:
        for server in servers:
            server.server.tick()
            server.lines.clear()
        await asyncio.sleep(0.005)


async def test_mutated_requests(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(connection, "LINGER", 0.0)  # nobody waits here for what a client might still send
    rng, sent = random.Random(COUNT), 0
    room = 2 * TOGETHER * AT_ONCE * ECHOED
    unbounded = {"request_rate": 0, "body_memory": room, "body_memory_per_identity": room}  # all are of one
    async with (
        serving(short=True, **unbounded) as short,
        serving(short=False, **unbounded) as stock,
        asyncio.TaskGroup() as group,
    ):
        who = short.identity("reader")
        ticking = group.create_task(tick([short, stock]))
        while sent < COUNT:
            pairs = [b"".join(mutated(rng) for _ in range(TOGETHER)) for _ in range(AT_ONCE)]
            await asyncio.gather(*(compare([short, stock], who, data) for data in pairs))
            sent += TOGETHER * AT_ONCE
        ticking.cancel()
        assert short.requests() == stock.requests()
        assert {code for _, _, code in short.requests()} >= EVERY
        assert not short.server.live
        assert not stock.server.live
        assert short.replayed < stock.replayed
    assert not [record.message for record in caplog.records if record.exc_info]

"""Bodies: what is not to be read is refused at its head, and what is read costs bounded memory."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest

from rcmon.access.gate import Gate
from rcmon.telemetry.own import BODIES_REFUSED
from rcmon.web.app import TABLE
from rcmon.web.transport.bodies import LARGEST, announced
from tests.access import pki
from tests.web.caller import Answer, Caller, head
from tests.web.pki import READER, ROOT, STRANGER, roles_of
from tests.web.served import ECHOED
from tests.web.serving import Serving, serving

OTHER = pki.entity(pki.name("DC=ch", "CN=other"), ROOT)
EXPECT = "Expect: 100-continue"
CHUNKED = "Transfer-Encoding: chunked"

both_ways = pytest.mark.parametrize("short", [True, False], ids=["short way", "Tornado's way"])


async def posted(
    served: Serving, path: str, *fields: str, credential: pki.Credential = READER, method: str = "POST"
) -> tuple[Caller, Answer]:
    """Send a head alone, and read what is answered to it."""
    caller = await served.call(credential)
    await caller.send(head(path, *fields, method=method))
    return caller, await caller.answer(method)


FIELDS = [("Content-Length: 1",), (f"Content-Length: {ECHOED + 1}", EXPECT), (CHUNKED, EXPECT)]
REFUSED = [
    (READER, "GET", "/small", 413),
    (READER, "HEAD", "/small", 413),
    (READER, "OPTIONS", "/small", 413),
    (READER, "POST", "/small", 405),
    (READER, "BREW", "/small", 405),
    (READER, "GET", "/admin", 403),
    (READER, "POST", "/nowhere", 404),
    (READER, "GET", "/small%00", 400),
    (STRANGER, "GET", "/small", 403),
    (STRANGER, "POST", "/echo", 403),
    (STRANGER, "POST", "/nowhere", 404),
]


@both_ways
@pytest.mark.parametrize("fields", FIELDS)
@pytest.mark.parametrize("case", REFUSED, ids=lambda case: " ".join(map(str, case[1:])))
async def test_a_body_that_is_not_taken_is_refused_at_its_head(
    short: bool, case: tuple[pki.Credential, str, str, int], fields: tuple[str, ...]
) -> None:
    """The answer is that of the request itself, and comes before a byte of the body; no 100 asks for it."""
    who, method, path, status = case
    async with serving(short=short, gate=Gate(roles_of(READER))) as served:
        caller, answer = await posted(served, path, *fields, credential=who, method=method)
        assert (answer.status, answer.fields["connection"]) == (status, "close")
        assert answer.fields["content-type"] == "application/problem+json"
        ending = asyncio.create_task(caller.rest())
        await served.until(ending.done)
        assert ending.result() == b""
        assert sum(served.requests().values()) == len(served.logged()) == 1
        assert served.server.state.bodies.held == 0
        assert served.counted(BODIES_REFUSED) == ({("not_taken",): 1.0} if status in (413, 404) else {})


@both_ways
async def test_500_unfinished_bodies_of_a_stranger_cost_nothing(short: bool) -> None:
    """They took 132 to 665 MB: each was read as far as it came before any role was asked for."""
    async with serving(short=short, gate=Gate(roles_of(READER))) as served:
        callers = [await served.call(STRANGER) for _ in range(500)]
        for caller in callers:
            await caller.send(head("/echo", "Content-Length: 1048576", method="POST"))
        for caller in callers:
            caller.writer.write(b"a" * 1_000_000)  # as far as the kernel takes it
            assert (await caller.answer()).status == 403
        assert served.server.state.bodies.held == 0
        held = [connection.wire for connection in served.server.live]
        assert sum(len(wire.unread) for wire in held) < 100 * 8192
        assert served.requests() == {("/echo", "POST", "403"): 500.0}
        for caller in callers:
            await caller.close()


@both_ways
async def test_a_body_within_its_limit_arrives_whole(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        for size in (0, 1, ECHOED):
            await caller.send(head("/echo", f"Content-Length: {size}", method="POST") + b"a" * size)
            assert (await caller.answer()).body.startswith(b"%d " % size)
            chunk = b"%x\r\n%s\r\n" % (size, b"a" * size) if size else b""
            await caller.send(head("/echo", CHUNKED, method="POST") + chunk + b"0\r\n\r\n")
            assert (await caller.answer()).body.startswith(b"%d " % size)
        assert served.server.state.bodies.held == 0
        assert served.counted(BODIES_REFUSED) == {}


@both_ways
@pytest.mark.parametrize("size", [8192, 7])
async def test_a_body_in_chunks_ends_where_it_becomes_too_large(short: bool, size: int) -> None:
    """It may promise anything: nothing beyond the limit is kept."""
    async with serving(short=short, request_timeout=600) as served:
        caller = await served.call()
        await caller.send(head("/echo", CHUNKED, method="POST"))
        piece = b"%x\r\n%s\r\n" % (size, b"a" * size)
        sending = asyncio.create_task(send_on(caller, piece * (8192 // size)))
        answer = await caller.answer()
        sending.cancel()
        assert (answer.status, answer.fields["connection"]) == (413, "close")
        assert b"at most %d bytes" % ECHOED in answer.body
        assert served.counted(BODIES_REFUSED) == {("too_large",): 1.0}
        assert served.requests() == {("/echo", "POST", "413"): 1.0}
        assert served.server.state.bodies.held == 0


async def test_a_chunk_of_any_size_is_read_to_the_limit_only() -> None:
    async with serving() as served:
        caller = await served.call()
        await caller.send(head("/echo", CHUNKED, method="POST") + b"7fffffff\r\n")
        sending = asyncio.create_task(send_on(caller, b"a" * 8192))
        assert (await caller.answer()).status == 413
        sending.cancel()


async def send_on(caller: Caller, data: bytes) -> None:
    """Send until the connection ends."""
    with contextlib.suppress(OSError):
        while True:
            await caller.send(data)


@contextlib.asynccontextmanager
async def crowded(served: Serving, credential: pki.Credential, count: int) -> AsyncIterator[list[Caller]]:
    """Have bodies under way that do not end while the block runs."""
    callers = []
    before = served.server.state.bodies.held
    for number in range(1, count + 1):
        callers.append(caller := await served.call(credential))
        await caller.send(head("/echo", "Content-Length: 1000", method="POST") + b"a")
        await served.until(lambda held=before + number * 1000: served.server.state.bodies.held == held)
    yield callers


@both_ways
async def test_one_identity_has_so_much_under_way_and_no_more(short: bool) -> None:
    options: dict[str, Any] = {"body_memory": 5000, "body_memory_per_identity": 3000}
    async with serving(short=short, gate=Gate(roles_of(READER, OTHER)), **options) as served:
        async with crowded(served, READER, 3) as callers:
            for field in ("Content-Length: 1", CHUNKED):
                _, answer = await posted(served, "/echo", field, EXPECT)
                assert (answer.status, answer.fields["retry-after"]) == (429, "1")
            other = await served.call(OTHER)
            await other.send(head("/echo", "Content-Length: 5", method="POST") + b"hello")
            assert (await other.answer()).status == 200
            async with crowded(served, OTHER, 2):
                _, answer = await posted(served, "/echo", "Content-Length: 1", EXPECT, credential=OTHER)
                assert (answer.status, answer.fields["retry-after"]) == (503, "1")
            await callers[0].send(b"a" * 999)
            assert (await callers[0].answer()).status == 200
            await callers[1].close()
        assert served.counted(BODIES_REFUSED) == {("identity",): 2.0, ("total",): 1.0}
        await served.until(lambda: served.server.state.bodies.held == 3000)


@both_ways
async def test_what_ends_in_any_way_gives_its_room_back(short: bool) -> None:
    async with serving(short=short, request_timeout=10) as served:  # for all three to begin in it
        gone, late, cut = [await served.call() for _ in range(3)]
        for caller in (gone, late, cut):
            await caller.send(head("/echo", "Content-Length: 1000", method="POST") + b"a")
        await served.until(lambda: served.server.state.bodies.held == 3000)
        await gone.close()
        cut.writer.transport.abort()
        assert (await late.answer()).status == 408
        await served.until(lambda: served.server.state.bodies.held == 0)


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({}, 0),
        ({"Content-Length": "0"}, 0),
        ({"Content-Length": "12"}, 12),
        ({"Content-Length": "12, 12"}, 12),
        ({"Transfer-Encoding": "chunked"}, math.inf),
        ({"Transfer-Encoding": "anything", "Content-Length": "0"}, math.inf),
        ({"Content-Length": "1, 2"}, 0),
        ({"Content-Length": "-1"}, 0),
        ({"Content-Length": "+1"}, 0),
        ({"Content-Length": "1_0"}, 0),
        ({"Content-Length": "\u0661"}, 0),
        ({"Content-Length": ""}, 0),
    ],
)
def test_what_a_head_announces(fields: dict[str, str], size: float) -> None:
    """What is malformed is 0: Tornado reads none of it, since a body of 0 bytes is all it would take."""
    assert announced(fields) == size


def test_every_resource_says_how_much_it_takes() -> None:
    """The smallest bounds that can be configured have room for one of any."""
    assert all(0 <= handler.max_body <= LARGEST for handler in TABLE)

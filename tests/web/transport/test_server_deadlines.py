"""No client holds a connection by doing little: the sweep closes what is idle, slow or stuck."""

import asyncio
import math
import socket
import time
from pathlib import Path

import pytest

from tests.web.caller import Caller, head
from tests.web.served import LARGE
from tests.web.serving import Serving, reluctant, serving

both_ways = pytest.mark.parametrize("short", [True, False], ids=["short way", "Tornado's way"])


async def ends(served: Serving, caller: Caller) -> bytes:
    """Wait until the server ended the connection, and give what came before."""
    rest = asyncio.create_task(caller.rest())
    await served.until(rest.done)
    return rest.result()


@both_ways
async def test_who_never_asks_is_cut(short: bool) -> None:
    async with serving(short=short, request_timeout=0.2) as served:
        assert await ends(served, await served.call()) == b""


@both_ways
async def test_an_idle_connection_is_closed(short: bool) -> None:
    async with serving(short=short, idle_timeout=0.3, request_timeout=60) as served:
        caller = await served.call()
        for _ in range(3):
            assert await caller.is_open()
        assert await ends(served, caller) == b""
        assert sum(served.requests().values()) == 3


@both_ways
async def test_each_request_begins_the_idle_time_anew(short: bool) -> None:
    async with serving(short=short, idle_timeout=1000) as served:
        caller = await served.call()
        (connection,) = served.server.live
        ends = [0.0]
        for _ in range(4):
            assert await caller.is_open()
            await served.until(lambda: ends[-1] < connection.wire.deadline < math.inf)
            ends.append(connection.wire.deadline)
            assert 900 < ends[-1] - time.monotonic() <= 1000
            served.later(900)
        assert await caller.is_open()
        await served.until(lambda: connection.wire.deadline < math.inf)
        served.later(1001)
        assert await caller.rest() == b""


@both_ways
async def test_the_time_of_an_answer_ends_with_it(short: bool) -> None:
    async with serving(short=short, write_timeout=100, idle_timeout=1000) as served:
        caller = await served.call()
        for path in ("/small", "/large"):
            await caller.ask(path)
            served.later(200)
            assert await caller.is_open()


@both_ways
@pytest.mark.parametrize("first", [True, False])
async def test_a_head_that_does_not_end_is_cut(short: bool, first: bool) -> None:
    """Each byte is progress; the head as a whole has the deadline, though the connection may idle longer."""
    async with serving(short=short, request_timeout=0.4) as served:
        caller = await served.call()
        if not first:
            assert await caller.is_open()
        dripping = asyncio.create_task(drip(caller, head("/small", "A: " + "a" * 10_000)))
        assert await ends(served, caller) == b""
        dripping.cancel()
        assert sum(served.requests().values()) == (0 if first else 1)


async def drip(caller: Caller, data: bytes) -> None:
    for byte in data:
        await caller.send(bytes([byte]))
        await asyncio.sleep(0.02)


@both_ways
@pytest.mark.parametrize("fields", ["Content-Length: 9", "Transfer-Encoding: chunked"])
async def test_a_body_that_does_not_come_gets_a_408(short: bool, fields: str) -> None:
    async with serving(short=short, request_timeout=0.3) as served:
        caller = await served.call()
        await caller.send(head("/echo", fields, method="POST") + b"3\r\nabc")
        answer = await caller.answer()
        assert answer.status == 408
        assert answer.fields["connection"] == "close"
        assert await caller.rest() == b""
        assert served.requests() == {("other", "POST", "408"): 1.0}


@both_ways
async def test_a_slow_handler_is_not_cut(short: bool) -> None:
    """The deadlines are for clients."""
    async with serving(short=short, request_timeout=0.1, idle_timeout=0.1, write_timeout=0.1) as served:
        caller = await served.call()
        await caller.send(head("/slow"))
        await served.pause.began.wait()
        for _ in range(10):
            served.server.tick()
            await asyncio.sleep(0.03)
        served.pause.go_on.set()
        assert (await caller.answer()).body == b"slow\n"


@both_ways
@pytest.mark.parametrize("requests", [1, 20])
@pytest.mark.parametrize("by_kernel", [True, False])
async def test_a_reader_that_never_reads_is_cut(
    short: bool, requests: int, by_kernel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once by the sweep, once by the kernel, each without the other."""
    async with serving(short=short, write_timeout=0.3) as served:
        caller = await reluctant(served)
        (connection,) = served.server.live
        if by_kernel:
            monkeypatch.setattr(served.server, "tick", lambda: None)
        else:
            connection.wire.stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 0)
        await caller.send(head("/large") * requests)
        await served.until(lambda: not served.server.live)
        await served.until(served.requests)
        assert served.requests() == {("/large", "GET", "200"): 1.0}
        (line,) = served.logged()
        assert int(line.rpartition("=")[2]) < len(LARGE)


@both_ways
async def test_small_answers_that_nobody_reads_are_not_piled_up(short: bool) -> None:
    """Of a long pipeline so much is answered as the kernel takes, then the client must read."""
    async with serving(short=short, write_timeout=0.5) as served:
        caller = await reluctant(served)
        for _ in range(20):
            caller.writer.write(head("/middle") * 100)
        await served.until(lambda: not served.server.live)
        assert 1 <= sum(served.requests().values()) < 1900


@both_ways
async def test_nor_are_those_to_requests_that_come_one_by_one(short: bool) -> None:
    async with serving(short=short, write_timeout=60) as served:
        caller = await reluctant(served)
        for _ in range(500):
            await caller.send(head("/middle"))
            await asyncio.sleep(0.0005)
        answered = sum(served.requests().values())
        assert 1 <= answered < 400
        for _ in range(500):
            assert len((await caller.answer()).body) == 10500


@both_ways
async def test_a_slow_reader_is_served_to_the_end(short: bool) -> None:
    """Its time begins anew with what it takes: it may take longer than the write timeout in all."""
    async with serving(short=short, write_timeout=1000, idle_timeout=1000) as served:
        caller = await reluctant(served)
        (connection,) = served.server.live
        await caller.send(head("/large"))
        await caller.reader.readuntil(b"\r\n\r\n")
        body, ends = b"", set()
        while len(body) < len(LARGE):
            body += await caller.reader.readexactly(min(100_000, len(LARGE) - len(body)))
            ends.add(connection.wire._stuck)
            served.later(900)
        assert body == LARGE
        assert len(ends) >= 10
        assert await caller.is_open()


def resident() -> int:
    """Read this process's resident memory, bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.alone
@both_ways
async def test_slow_readers_cost_kilobytes(short: bool) -> None:
    """Answers of 3 MB that waited in memory would be 150 MB; this counts the clients' ends too."""
    async with serving(short=short) as served:
        callers = [await reluctant(served) for _ in range(50)]
        before = resident()
        for caller in callers:
            await caller.send(head("/large"))
        for _ in range(20):
            await asyncio.sleep(0.02)
        grown = resident() - before
        assert len(served.server.live) == 50
        assert not served.requests()  # all of them are under way
        assert grown < 40e6

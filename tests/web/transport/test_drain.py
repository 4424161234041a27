"""A stop loses no request: what is under way ends, idle clients hear of it, nobody can hold it up."""

import asyncio
import contextlib

import pytest

from rcmon.telemetry.own import CONNECTIONS
from tests.access import pki
from tests.web.caller import Caller, head
from tests.web.pki import READER, client_hello
from tests.web.served import LARGE
from tests.web.serving import Serving, reluctant, serving

both_ways = pytest.mark.parametrize("short", [True, False], ids=["short way", "Tornado's way"])


@contextlib.asynccontextmanager
async def draining(served: Serving, seconds: float = 600.0, linger: float = 0.5):
    """Drain while the block runs, and wait for its end."""
    task = asyncio.create_task(served.server.drain(seconds, linger))
    while not served.server.state.draining:
        await asyncio.sleep(0)
    yield task
    await task
    assert not served.server.live


@both_ways
async def test_nothing_to_wait_for(short: bool) -> None:
    async with serving(short=short) as served:
        async with asyncio.timeout(300):
            await served.server.drain(3600, 1800)


@both_ways
async def test_new_clients_find_nobody(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        async with draining(served):
            with pytest.raises(ConnectionRefusedError):
                await served.call()
            assert caller


@both_ways
@pytest.mark.parametrize("version", ["1.1", "1.0"])
async def test_an_idle_connection_gets_one_more_answer(short: bool, version: str) -> None:
    """Its request may have been on its way already."""
    async with serving(short=short) as served:
        caller = await served.call()
        for _ in range(2):
            await caller.ask("/small", "Connection: keep-alive", version=version)
        async with draining(served):
            answer = await caller.ask("/small", "Connection: keep-alive", version=version)
            assert answer.status == 200
            assert answer.fields.get("connection", "close") == "close"  # HTTP/1.0 need not say it
            assert version == "1.0" or "connection" in answer.fields
            assert await caller.rest() == b""


@both_ways
async def test_an_idle_connection_that_asks_nothing_is_closed_after_a_while(short: bool) -> None:
    async with serving(short=short) as served:
        callers = [await served.call() for _ in range(3)]
        await callers[0].ask("/small")
        await callers[1].ask("/admin")
        async with draining(served):
            for caller in callers:
                assert await caller.rest() == b""


@both_ways
async def test_a_running_handler_ends_and_its_client_is_told(short: bool) -> None:
    async with serving(short=short) as served:
        witness = await served.call()
        caller = await served.call()
        await caller.ask("/small")
        await caller.send(head("/slow") + head("/small"))
        await served.pause.began.wait()
        async with draining(served, linger=0.1) as drain:
            assert await witness.rest() == b""
            assert not drain.done()
            served.pause.go_on.set()
            answer = await caller.answer()
            assert (answer.status, answer.body) == (200, b"slow\n")
            assert answer.fields["connection"] == "close"
            assert await caller.rest() == b""


@both_ways
async def test_a_large_answer_under_way_arrives_whole(short: bool) -> None:
    async with serving(short=short) as served:
        witness = await served.call()
        caller = await served.call()
        await caller.send(head("/large"))
        await caller.reader.readuntil(b"\r\n\r\n")
        async with draining(served, linger=0.1):
            assert await witness.rest() == b""
            assert await caller.reader.readexactly(len(LARGE)) == LARGE
            assert await caller.rest() == b""


@both_ways
async def test_answers_that_are_not_yet_taken_arrive(short: bool) -> None:
    """Of a long pipeline the answer that says so is the last; a reset would undo those before it."""
    async with serving(short=short) as served:
        caller = await reluctant(served)
        (connection,) = served.server.live
        witness = await served.call()
        while not connection.wire.stream.writing():
            await caller.send(head("/middle"))
            await asyncio.sleep(0.001)
        await caller.send(head("/middle"))  # which waits for its turn, whatever those before met
        async with draining(served, linger=0.1):
            assert await witness.rest() == b""
            answered = 1
            while "connection" not in (answer := await caller.answer()).fields:
                answered += 1
            assert len(answer.body) == 10500
            assert served.requests() == {("/middle", "GET", "200"): answered}
            assert await caller.reader.read() == b""
            await caller.close()


@both_ways
async def test_a_head_under_way_is_answered(short: bool) -> None:
    async with serving(short=short) as served:
        witness = await served.call()
        caller = await served.call()
        await caller.ask("/small")
        await caller.send(head("/small")[:20])
        await asyncio.sleep(0.05)
        async with draining(served, linger=0.1):
            assert await witness.rest() == b""
            await caller.send(head("/small")[20:])
            answer = await caller.answer()
            assert (answer.status, answer.fields["connection"]) == (200, "close")


@both_ways
async def test_a_body_under_way_is_answered(short: bool) -> None:
    async with serving(short=short) as served:
        witness = await served.call()
        caller = await served.call()
        await caller.send(head("/echo", "Content-Length: 6", method="POST") + b"abc")
        await asyncio.sleep(0.05)
        async with draining(served, linger=0.1):
            assert await witness.rest() == b""
            await caller.send(b"def")
            answer = await caller.answer()
            assert (answer.body[:2], answer.fields["connection"]) == (b"6 ", "close")


@both_ways
async def test_whoever_holds_it_up_is_cut(short: bool) -> None:
    async with serving(short=short) as served:
        slow, never, hello = await served.call(), await served.call(), await served.call(ssl=None)
        await slow.send(head("/slow"))
        await never.send(head("/large"))
        await hello.send(client_hello()[:10])
        await served.pause.began.wait()
        async with draining(served, seconds=0.5, linger=0.1):
            assert await slow.rest() == b""
        served.pause.go_on.set()


@both_ways
async def test_a_handshake_in_time_is_served(short: bool) -> None:
    """Who was accepted before the stop may still be shaking hands."""
    async with serving(short=short) as served:
        calls = [asyncio.create_task(served.call()) for _ in range(5)]
        await served.until(lambda: len(served.server.live) == 5)
        async with draining(served):
            for caller in await asyncio.gather(*calls):
                answer = await caller.ask("/small")
                assert (answer.status, answer.fields["connection"]) == (200, "close")


@both_ways
async def test_no_request_is_lost_under_load(short: bool) -> None:
    """Clients that never rest: each of them ends with an answer that says so."""
    async with serving(short=short) as served:
        callers = [await served.call() for _ in range(8)]

        answered = dict.fromkeys(callers, 0)

        async def ask_on(caller: Caller) -> None:
            while (await caller.ask("/small")).fields.get("connection") != "close":
                answered[caller] += 1

        asking = [asyncio.create_task(ask_on(caller)) for caller in callers]
        await served.until(lambda: all(answered.values()))
        async with draining(served):
            await asyncio.gather(*asking)
        assert sum(served.requests().values()) == sum(answered.values()) + len(callers)


async def test_cutting_everything_ends_every_task() -> None:
    async with serving() as served:
        callers = [await served.call(), await served.call(ssl=None), await served.call(pki.proxy(READER))]
        await callers[0].send(head("/slow"))
        await served.pause.began.wait()
        tasks = [connection.task for connection in served.server.live]
        await served.server.close_all_connections()
        assert all(task.done() and task.exception() is None for task in tasks)
        assert not served.server.live
        assert served.totals.value(CONNECTIONS) == 0

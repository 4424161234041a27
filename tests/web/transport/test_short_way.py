"""The short way itself: what it takes, what it leaves to Tornado, and the public names that it stands on."""

import ast
import asyncio
import inspect
import itertools
import os
import sys
from pathlib import Path
from types import FrameType

import pytest
from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.iostream import BaseIOStream, SSLIOStream
from tornado.web import RequestHandler

import rcmon
import rcmon.web.transport
from rcmon.access.roles import Role
from rcmon.telemetry.own import SHORT_WAY_FALLBACKS
from rcmon.web.answers.ready import Ready
from rcmon.web.auth import requires
from rcmon.web.base import Handler
from rcmon.web.handlers.status import StatusHandler
from tests.web.caller import head
from tests.web.served import SmallHandler
from tests.web.serving import Serving, serving

OURS = str(Path(rcmon.__file__).parent) + os.sep


class Reads:
    """Counts how the only connection of a server reads: `asked` by the stream, `taken` from the socket."""

    def __init__(self, served: Serving) -> None:
        (self.connection,) = served.server.live
        stream = self.connection.wire.stream
        self.asked, self.taken = 0, 0
        inner, outer = self.connection.wire._receive, stream.read_from_fd

        def taking(buf: bytearray | memoryview) -> int | None:
            self.taken += 1
            return inner(buf)

        def asking(buf: bytearray | memoryview) -> int | None:
            self.asked += 1
            return outer(buf)

        self.connection.wire._receive = taking
        stream.read_from_fd = asking  # type: ignore[method-assign]


async def test_a_request_that_comes_again_is_answered_by_one_read() -> None:
    """The stream asks once for each, finds the answer given, and nothing wakes the connection's task."""
    async with serving() as served:
        caller = await served.call()
        for _ in range(2):
            await caller.ask("/small")
        reads = Reads(served)
        for _ in range(10):
            assert (await caller.ask("/small")).status == 200
        assert (reads.asked, reads.taken) == (10, 10)


@pytest.mark.usefixtures("answers_last")
async def test_a_request_that_comes_again_takes_few_calls() -> None:
    """Of ours; each move from one file to another is a place where a reader looks for the way."""
    entered: list[str] = []
    stack: list[str] = []
    moves = [0]

    def profile(frame: FrameType, event: str, _: object) -> None:
        if not (file := frame.f_code.co_filename).startswith(OURS) or event not in ("call", "return"):
            return
        if event == "return":
            del stack[-1:]
            return
        moves[0] += bool(stack) and stack[-1] != file
        stack.append(file)
        entered.append(frame.f_code.co_name)

    async with serving(more=(StatusHandler,)) as served:
        caller = await served.call()
        for _ in range(3):
            await caller.ask("/api/status")
        (connection,) = served.server.live
        stream = connection.wire.stream
        inner = stream.read_from_fd

        def reading(buf: bytearray | memoryview) -> int | None:
            before, moved = len(entered), moves[0]
            sys.setprofile(profile)
            try:
                taken = inner(buf)
            finally:
                sys.setprofile(None)
            if "again" not in entered[before:]:  # the poller was early: nothing had come
                del entered[before:]
                moves[0] = moved
            return taken

        stream.read_from_fd = reading  # type: ignore[method-assign]
        assert (await caller.ask("/api/status")).status == 200
    assert "decision" in entered
    assert len(entered) <= 21, entered
    assert moves[0] <= 15, entered


async def test_after_an_answer_nothing_is_read_in_vain() -> None:
    """Requests that differ go through the task, which waits for the poller instead of trying the socket."""
    async with serving() as served:
        caller = await served.call()
        await caller.ask("/small")
        reads = Reads(served)
        for number in range(10):
            assert (await caller.ask("/small", f"X-Number: {number}")).status == 200
        assert reads.taken == 10


async def test_a_large_tls_record_is_read_to_its_end() -> None:
    """What lies decrypted in OpenSSL makes no event of the poller."""
    async with serving() as served:
        caller = await served.call()
        await caller.ask("/small")
        requests = head("/small", "A: " + "a" * 3000) * 5  # one record of more than one read
        assert len(requests) < 16384
        await caller.send(requests)
        for _ in range(5):
            assert (await caller.answer()).status == 200


@pytest.mark.parametrize(
    ("path", "fields", "replayed"),
    [
        ("/small", [], 0),
        ("/large", [], 0),
        ("/small", ["A: 1", "B: 2"], 0),
        ("/small?pretty", [], 1),
        ("/small", ["A: 1", "A: 2"], 1),
        ("/slow", [], 1),
        ("/admin", [], 1),
        ("/failing", [], 1),
        ("/reticent", [], 1),
        ("/nowhere", [], 1),
    ],
)
async def test_what_goes_the_short_way(path: str, fields: list[str], replayed: int) -> None:
    async with serving() as served:
        served.pause.go_on.set()
        caller = await served.call()
        for number in range(1, 4):
            await caller.ask(path, *fields)
            assert served.replayed == replayed * number


async def test_switched_off_everything_goes_to_tornado() -> None:
    async with serving(short=False) as served:
        await (await served.call()).ask("/small")
        assert served.replayed == 1


async def test_a_handler_that_fails_behind_its_answer_leaves_nothing_behind() -> None:
    """Its answer must neither leave nor become that of the next request."""
    async with serving() as served:
        caller = await served.call()
        for number in range(1, 3):
            assert len((await caller.ask("/middle")).body) == 10500
            assert (await caller.ask("/failing")).status == 500
            assert (await caller.ask("/reticent")).status == 200
            assert served.replayed == 2 * number


async def test_what_a_handler_may_not_use_is_an_error_that_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """On either way: a handler is none of Tornado's, so that nothing of that works on one way alone."""
    for short, counted in ((True, {("/mistaken", "error"): 1.0}), (False, {})):
        async with serving(short=short) as served:
            assert (await (await served.call()).ask("/mistaken")).status == 500
            assert served.counted(SHORT_WAY_FALLBACKS) == counted
        assert "has no attribute 'set_header'" in caplog.text
        caplog.clear()


@pytest.mark.parametrize(
    ("path", "fields", "reason"),
    [
        ("/small", [], None),
        ("/small", ["Accept-Encoding: *;q=0"], "unready"),
        ("/reticent", [], "unready"),
        ("/admin", [], "problem"),
        ("/failing", [], "error"),
        ("/slow", [], None),
        ("/nowhere", [], None),
    ],
)
async def test_what_the_short_way_leaves_to_tornado_is_counted(
    path: str, fields: list[str], reason: str | None
) -> None:
    """By route and reason; what was never for the short way is no fallback."""
    async with serving() as served:
        served.pause.go_on.set()
        caller = await served.call()
        for number in range(1, 4):
            await caller.ask(path, *fields)
            expected = {(path, reason): float(number)} if reason else {}
            assert served.counted(SHORT_WAY_FALLBACKS) == expected


async def test_every_connection_remembers_its_own_request() -> None:
    async with serving() as served:
        first, second = await served.call(), await served.call()
        for _ in range(5):
            assert len((await first.ask("/middle")).body) == 10500
            assert len((await second.ask("/small")).body) == 16


async def test_what_is_remembered_is_small() -> None:
    """Thousands of connections hold one head each."""
    async with serving() as served:
        caller = await served.call()
        for _ in range(2):
            assert (await caller.ask("/small", "A: " + "a" * 60_000)).status == 200
        assert served.replayed == 0
        (connection,) = served.server.live
        assert connection._short
        assert len(connection._short._head) <= 4096


async def test_a_repeated_request_waits_for_the_one_before() -> None:
    """It is read while a handler still runs, whose own head came while the one before that did."""
    async with serving() as served:
        caller = await served.call()
        for _ in range(2):
            await caller.ask("/small")
        await caller.send(head("/slow"))
        await served.pause.began.wait()
        served.pause.began.clear()
        await caller.send(head("/slow"))
        await asyncio.sleep(0.05)
        first, served.pause.go_on = served.pause.go_on, asyncio.Event()
        first.set()
        assert (await caller.answer()).body == b"slow\n"
        await served.pause.began.wait()
        await caller.send(head("/small"))
        await asyncio.sleep(0.05)
        served.pause.go_on.set()
        assert [(await caller.answer()).body[:6] for _ in range(2)] == [b"slow\n", b'{"smal']


async def test_what_stands_before_a_repeated_request_belongs_to_it() -> None:
    async with serving() as served:
        caller = await served.call()
        for _ in range(2):
            await caller.ask("/small")
        await caller.send(b"X")
        await asyncio.sleep(0.05)
        assert (await caller.ask("/small")).status == 405  # XGET


async def test_busy_clients_take_turns() -> None:
    """One that pipelines without end gets so many answers at once, then the loop goes round."""
    async with serving() as served:
        busy = await served.call()
        busy.writer.write(head("/small") * 1000)
        answered = [0.0]
        while answered[-1] < 1000:
            await asyncio.sleep(0)
            answered.append(sum(served.requests().values()))
        assert max(after - before for before, after in itertools.pairwise(answered)) <= 32


async def test_a_coroutine_cannot_be_on_the_short_way() -> None:
    class LateHandler(Handler):
        route = "/late"
        immediate = True

        @requires(Role.READER)
        async def get(self) -> Ready:
            """Never run."""
            return SmallHandler.ready

    with pytest.raises(TypeError, match=r"LateHandler\.get cannot answer at once"):
        Serving(more=(LateHandler,))


def test_no_private_name_of_tornado_is_used() -> None:
    """Of `self` and of our own objects an underscore is fine; of anything that Tornado made it is not."""
    for path in Path(str(rcmon.web.transport.__path__[0])).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Attribute)
                and node.attr.startswith("_")
                and not node.attr.startswith("__")
            ):
                assert isinstance(node.value, ast.Name), f"{path}:{node.lineno}"
                assert node.value.id == "self", f"{path}:{node.lineno}"


@pytest.mark.parametrize(
    "theirs",
    [
        BaseIOStream.read_from_fd,
        BaseIOStream.write_to_fd,
        BaseIOStream.read_bytes,
        BaseIOStream.write,
        BaseIOStream.writing,
        BaseIOStream.closed,
        BaseIOStream.close,
        SSLIOStream.wait_for_handshake,
        HTTPServer.add_sockets,
        HTTP1Connection.read_response,
        HTTP1Connection.write_headers,
    ],
)
def test_the_names_that_it_stands_on_are_documented(theirs: object) -> None:
    assert inspect.getdoc(theirs)


def test_the_names_of_our_own_are_not_tornados() -> None:
    """An attribute of ours must not hide one of a base class by accident."""
    assert not {
        "live",
        "state",
        "forget",
        "tick",
        "drain",
        "acceptor",
        "throttle",
        "admit",
        "unaccepted",
    } & set(dir(HTTPServer))
    assert not {"_ends", "replay", "answer", "finished", "_state"} & set(dir(HTTP1Connection))
    assert not {"resource", "asked", "deliver", "_ask"} & set(dir(RequestHandler))

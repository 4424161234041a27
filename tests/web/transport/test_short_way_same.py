"""Whatever a client sends, the short way changes nothing of what comes back."""

import asyncio
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rcmon.web.transport import connection
from rcmon.web.transport.heads import END
from tests.web.caller import BASE, head
from tests.web.serving import Serving

PROBE = head("/middle", "Connection: close", "X-Probe: 1")
"""Sent behind everything: ends the connection, and tells by its answer whether that was still open."""
METHODS = ["GET"] * 6 + ["HEAD"] * 3 + ["POST", "OPTIONS", "get", "BREW"]
PATHS = (
    ["/small"] * 4
    + ["/middle"] * 3
    + ["/admin", "/failing", "/reticent", "/nowhere", "/small?", "/small?a=1"]
)
PATHS += ["/sm%61ll", "/small%00", "/small/", "//small", "/x/../small", "/small#a", ""]
VERSIONS = ["HTTP/1.1"] * 6 + ["HTTP/1.0"] * 3 + ["HTTP/1.2", "HTTP/2.0", "http/1.1"]
NAMES = [
    "Host",
    "Connection",
    "connection",
    "Accept-Encoding",
    "ACCEPT-ENCODING",
    "If-None-Match",
    "Accept",
    "X",
]
NAMES += [
    "Content-Length",
    "Transfer-Encoding",
    "Expect",
    "Upgrade",
    "TE",
    "Cookie",
    "Range",
    "X_Y",
    "X Y",
    "",
]
VALUES = [
    "",
    "x",
    "close",
    "Close",
    "keep-alive",
    "Keep-Alive",
    "keep-alive, close",
    "upgrade",
    "gzip",
    "gzip;q=0",
]
VALUES += [
    "*;q=0",
    "*",
    "0",
    "3",
    "+3",
    "chunked",
    "100-continue",
    "text/html",
    "a, b",
    "[::1]:5",
    "a b",
    '"x"',
]
VALUES += ["\t", " x ", "ü", "\x00", "\x7f", "a" * 5000]
fields = st.tuples(
    st.sampled_from(NAMES), st.sampled_from([": "] * 6 + [":", " : ", ":\t", ""]), st.sampled_from(VALUES)
).map("".join)
heads = st.builds(
    lambda method, path, version, host, given, end: end.join(
        [f"{method} {BASE.decode()}{path} {version}", *host, *given, "", ""]
    ).encode("latin-1"),
    st.sampled_from(METHODS),
    st.sampled_from(PATHS),
    st.sampled_from(VERSIONS),
    st.sampled_from([["Host: localhost"]] * 8 + [[]]),
    st.lists(fields, max_size=3),
    st.sampled_from(["\r\n"] * 6 + ["\n"]),
)
mutations = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.integers(0, 2),
        st.sampled_from([b"", b" ", b"\r", b"\n", b":", b"\x00", b"a"]),
    ),
    max_size=1,
)


def mutated(data: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for place, removed, added in changes:
        data = data[:place] + added + data[place + removed :]
    return data


def normal(transcript: bytes) -> list[bytes]:
    """Bring lines into an order of their own: that of fields means nothing, nor the case of their names."""
    lines = re.sub(rb"\r\n(Date|X-Request-Id): [^\r]*", b"", transcript).split(b"\r\n")
    return sorted(re.sub(rb"^[A-Za-z-]+:", lambda name: name[0].lower(), line) for line in lines)


class Both:
    """Two servers that differ in nothing but the short way."""

    def __init__(self) -> None:
        self.servers = (Serving(short=True), Serving(short=False))

    async def tick(self) -> None:
        while True:
            for server in self.servers:
                server.server.tick()
            await asyncio.sleep(0.005)

    async def compare(self, data: bytes) -> None:
        """Send the same to both, then again and again on one connection."""
        async with asyncio.timeout(300):
            await self._compare(data)

    async def _compare(self, data: bytes) -> None:
        first, second = [normal(await transcript(server, data)) for server in self.servers]
        assert first == second, data
        if is_one_head(data):
            rounds = [await repeated(server, data) for server in self.servers]
            assert rounds[0] == rounds[1], data


async def transcript(server: Serving, data: bytes) -> bytes:
    caller = await server.call()
    await caller.send(data + PROBE)
    rest = await caller.rest()
    await caller.close()
    return rest


async def repeated(server: Serving, data: bytes) -> list[list[bytes]]:
    """Send three times, each behind the answer of the one before, and give the answers as they come."""
    caller = await server.call()
    found = []
    for _ in range(3):
        try:
            await caller.send(data)
            answer = await caller.answer(data.lstrip(b"\r\n").partition(b" ")[0].decode("latin-1"))
        except (OSError, asyncio.IncompleteReadError):
            found.append([b"cut"])
            break
        fields = [
            f"{name}: {value}".encode()
            for name, value in answer.fields.items()
            if name not in ("date", "x-request-id")
        ]
        found.append([b"%d" % answer.status, *sorted(fields), answer.body])
    await caller.close()
    return found


def is_one_head(data: bytes) -> bool:
    """Tell whether it is a head without a body, of whatever quality, that gets one answer."""
    end = END.search(data)
    framing = re.search(rb"content-length|transfer-encoding|expect", data, re.IGNORECASE)
    return end is not None and end.end() == len(data) and framing is None


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def both(runner: asyncio.Runner) -> Iterator[Both]:
    async def begin() -> tuple[Both, asyncio.Task[None]]:
        both = Both()
        return both, asyncio.create_task(both.tick())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "LINGER", 0.0)  # nobody waits here for what a client might still send
        both, ticking = runner.run(begin())
        yield both
        ticking.cancel()
        for server in both.servers:
            runner.run(server.end())


@settings(max_examples=60, deadline=None)
@given(heads, mutations)
def test_both_ways_answer_the_same(
    runner: asyncio.Runner, both: Both, data: bytes, changes: list[tuple[int, int, bytes]]
) -> None:
    runner.run(both.compare(mutated(data, changes)))


def test_the_short_way_was_taken(runner: asyncio.Runner, both: Both) -> None:
    """Else the comparison would be of Tornado with itself."""
    runner.run(both.compare(head("/small")))
    short, stock = both.servers
    answered = [sum(server.requests().values()) for server in both.servers]
    assert answered[0] == answered[1]
    assert short.replayed < stock.replayed
    assert answered[0] - short.replayed >= 5

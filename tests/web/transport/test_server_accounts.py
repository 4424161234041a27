"""Every request is counted and logged once, the same on both ways, with route and method from fixed sets."""

import asyncio
import json
from pathlib import Path

import pytest

from rcmon.access.gate import Gate
from rcmon.telemetry.own import (
    BUCKETS,
    CONNECTIONS,
    CONNECTIONS_ACCEPTED,
    DECISIONS,
    DURATIONS,
    METHODS,
)
from rcmon.web.transport.accesslog import AccessLog, Style
from tests.web.caller import BASE, head
from tests.web.pki import READER, STRANGER, roles_of
from tests.web.serving import Serving, serving

REQUESTS = (
    head("/small"),
    head("/small"),
    head("/small", method="HEAD"),
    head("/middle", "Accept-Encoding: gzip"),
    head("/middle", "If-None-Match: *"),
    head("/large"),
    head("/admin"),
    head("/failing"),
    head("/reticent"),
    head("/nowhere"),
    head("/small?a=b"),
    head("/small", "Content-Length: 0", method="POST"),
    head("/small", "Content-Length: 0", method="BREW"),
    head("/echo", "Content-Length: 1", method="POST") + b"a",
    head("/small", method="OPTIONS"),
    head("/stillborn"),
)


async def accounts(
    *, short: bool
) -> tuple[dict[tuple[str, str, str], float], object, list[str], list[float]]:
    """Ask everything; give requests, decisions, log lines, and how many durations each route has."""
    async with serving(short=short) as served:
        for request in REQUESTS:
            caller = await served.call()
            await caller.send(request)
            await caller.answer(request.partition(b" ")[0].decode())
            await caller.close()
        await served.until(lambda: not served.server.live)
        durations = [counts[-1] for _, counts, _ in served.totals.histograms(DURATIONS)]
        return served.requests(), served.counted(DECISIONS), served.logged(), durations


async def test_both_ways_keep_the_same_accounts() -> None:
    short, stock = await accounts(short=True), await accounts(short=False)
    assert short == stock
    requests, _, lines, durations = short
    assert sum(requests.values()) == len(lines) == sum(durations) == len(REQUESTS)
    assert requests["/small", "GET", "200"] == 2.0
    assert requests["/small", "HEAD", "200"] == 1.0
    assert requests["/failing", "GET", "500"] == 1.0
    assert requests["/small", "other", "405"] == 1.0
    assert requests["other", "GET", "404"] == 1.0
    assert requests["other", "GET", "500"] == 1.0  # stillborn: no handler was there to be named


@pytest.mark.parametrize("short", [True, False])
async def test_a_line_tells_all_that_is_known(short: bool) -> None:
    async with serving(short=short) as served:
        served.server.state.access_log = AccessLog(
            served.lines.extend, "web-7", Style("json"), lambda *_: None
        )
        caller = await served.call()
        agent = f'User-Agent: odd "agent" {"x" * 200}'
        await caller.send(head("/middle", agent, "X-Request-Id: their/own=id"))
        whole = await caller.reader.readuntil(b"\r\n\r\n") + await caller.reader.readexactly(10500)
        served.server.tick()
        (line,) = served.lines
        entry = json.loads("{" + line)
        assert 0 < entry.pop("duration") < 60
        assert entry == {
            "level": "info", "process": "web-7", "logger": "rcmon.access", "identity": "/DC=ch/CN=reader",
            "address": "127.0.0.1", "method": "GET", "route": "/middle", "code": 200, "bytes": len(whole),
            "path": f"{BASE.decode()}/middle", "agent": f'odd "agent" {"x" * 116}\u2026',
            "request_id": "their/own=id",
        }  # fmt: skip


@pytest.mark.parametrize("short", [True, False])
async def test_a_client_cannot_name_what_is_counted(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        for number in range(3):
            await caller.ask(f"/nowhere/{number}", method=f"BREW{number}")
        await caller.send(b"\x00" * 5 + b"\r\n\r\n")
        await caller.answer()
        assert served.requests() == {("other", "other", "405"): 3.0, ("other", "other", "400"): 1.0}
        assert all("method=other route=other" in line for line in served.logged())
    assert "other" in METHODS


@pytest.mark.parametrize("short", [True, False])
@pytest.mark.parametrize("path", ["/slow", "/large"])
async def test_a_client_that_goes_away_is_counted_too(short: bool, path: str) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        await caller.send(head(path))
        await (served.pause.began.wait() if path == "/slow" else caller.reader.readexactly(10))
        await caller.close()
        served.pause.go_on.set()
        await served.until(lambda: not served.server.live)
        await served.until(served.requests)
        assert served.requests() == {(path, "GET", "200"): 1.0}
        assert len(served.logged()) == 1


@pytest.mark.parametrize("short", [True, False])
async def test_durations_are_those_of_the_answers(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        await caller.send(head("/slow"))
        await served.pause.began.wait()
        await asyncio.sleep(0.3)
        served.pause.go_on.set()
        await caller.answer()
        (((route,), counts, total),) = served.totals.histograms(DURATIONS)
        assert (route, counts[BUCKETS.index(0.25)], counts[-1]) == ("/slow", 0.0, 1.0)
        assert total >= 0.29


async def test_decisions_are_counted_once_a_request() -> None:
    for short in (True, False):
        async with serving(short=short, gate=Gate(roles_of(READER))) as served:
            for credential in (READER, STRANGER):
                caller = await served.call(credential)
                for path in ("/small", "/small", "/admin"):
                    await caller.ask(path)
            assert served.counted(DECISIONS) == {
                ("reader", "granted"): 2.0, ("reader", "denied"): 2.0, ("admin", "denied"): 2.0,
            }  # fmt: skip


async def test_a_successor_counts_on() -> None:
    """A worker that dies leaves its counts in the scoreboard; only its connections died with it."""
    async with serving() as first:
        caller = await first.call()
        await caller.ask("/small")
        second = Serving(scoreboard=first.scoreboard)
        try:
            second.tally.begin()
            await (await second.call()).ask("/small")
            assert second.requests() == {("/small", "GET", "200"): 2.0}
            assert second.totals.value(CONNECTIONS) == 1
            assert second.totals.value(CONNECTIONS_ACCEPTED) == 2
        finally:
            await second.end()


@pytest.mark.parametrize("short", [True, False])
async def test_a_log_that_cannot_be_written_costs_no_request(
    short: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    target = tmp_path / "access.log"
    target.symlink_to("/dev/full")
    async with serving(short=short) as served:
        served.server.state.access_log = AccessLog(
            lambda lines: target.write_text("".join(lines)), "web-0", Style(), lambda *_: None
        )
        caller = await served.call()
        for _ in range(3):
            assert (await caller.ask("/small")).status == 200
            served.server.tick()
        assert caplog.messages == ["the access log cannot be written: [Errno 28] No space left on device"]
        target.unlink()
        assert (await caller.ask("/small")).status == 200
        served.server.tick()
        assert caplog.messages[1:] == ["the access log is written again; 3 lines were lost"]
    assert target.read_text().count("\n") == 1


@pytest.mark.parametrize("short", [True, False])
async def test_every_answer_names_its_request_as_the_log_does(short: bool) -> None:
    """Answers of handlers, errors, and those that are made in a handler's place."""
    async with serving(short=short) as served:
        names = []
        for request in (
            *REQUESTS,
            head("/small", "Content-Length: 5"),
            b"nonsense\r\n\r\n",
            head("/small", "Host: b"),
        ):
            for given in (b"", b"X-Request-Id: mine-%d\r\n" % len(names)):
                caller = await served.call()
                await caller.send(request.replace(b"Host: localhost\r\n", b"Host: localhost\r\n" + given))
                answer = await caller.answer(request.partition(b" ")[0].decode())
                names.append(answer.fields["x-request-id"])
                if given and b"nonsense" not in request:
                    assert names[-1] == given.decode().partition(" ")[2].strip()
                await caller.close()
        await served.until(lambda: not served.server.live)
        served.server.state.access_log.flush()
        assert [line.rpartition("request=")[2].strip() for line in served.lines] == names
        assert len(set(names)) == len(names)

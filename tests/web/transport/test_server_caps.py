"""Caps on connections, counted before any cryptography, and a log that nobody can flood."""

import contextlib
import resource
from pathlib import Path

import pytest

from rcmon.access.gate import Gate
from rcmon.telemetry.own import CONNECTIONS, CONNECTIONS_ACCEPTED, CONNECTIONS_REFUSED, HANDSHAKES
from rcmon.web.transport.guard import spare_files
from tests.access import pki
from tests.web.pki import READER, ROOT, client_hello, roles_of
from tests.web.serving import Serving, serving


async def gets_nothing(served: Serving, **options: str | tuple[str, int]) -> None:
    """Hold that a connection ends before the server said a word."""
    caller = await served.call(ssl=None, **options)
    with contextlib.suppress(OSError):
        await caller.send(client_hello())
    assert await caller.rest() == b""


async def test_connections_are_capped_before_any_cryptography() -> None:
    async with serving(connections=2) as served:
        first, second = await served.call(), await served.call(local_addr=("127.0.0.2", 0))
        await gets_nothing(served, local_addr=("127.0.0.3", 0))
        assert served.failures() == {"limit": 1.0}
        assert await first.is_open()
        assert await second.is_open()
        await first.close()
        await served.until(lambda: len(served.server.live) == 1)
        assert await (await served.call()).is_open()


async def test_connections_of_an_address_are_capped() -> None:
    async with serving(per_address=2) as served:
        callers = [await served.call() for _ in range(2)]
        await gets_nothing(served)
        assert served.failures() == {"limit": 1.0}
        assert await (await served.call(local_addr=("127.0.0.2", 0))).is_open()
        assert await callers[0].is_open()


async def test_connections_of_an_identity_are_capped() -> None:
    other = pki.entity(pki.name("DC=ch", "CN=other"), ROOT)
    async with serving(per_identity=1, gate=Gate(roles_of(READER, other))) as served:
        first = await served.call()
        assert await first.is_open()
        for credential in (READER, pki.proxy(READER)):
            assert not await (await served.call(credential)).is_open()
        assert served.failures() == {"limit": 2.0}
        assert await (await served.call(other)).is_open()
        assert await first.is_open()


async def test_what_ended_does_not_count_any_more() -> None:
    async with serving(connections=2, per_address=2, per_identity=2) as served:
        for _ in range(20):
            caller = await served.call()
            assert await caller.is_open()
            await caller.close()
            await served.until(lambda: not served.server.live)
        assert served.totals.value(CONNECTIONS) == 0
        assert served.totals.value(CONNECTIONS_ACCEPTED) == 20
        assert served.failures() == {}


@pytest.mark.alone
async def test_files_are_kept_free(caplog: pytest.LogCaptureFixture) -> None:
    """Without a free descriptor the accept loop would spin."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken + 70, hard))
    try:
        room = spare_files()
        assert 1 <= room <= 6
        async with serving() as served:
            callers = [await served.call() for _ in range(3)]
            for _ in range(10):
                with contextlib.suppress(OSError):
                    await served.call()
            assert served.failures()["limit"] >= 10 + 3 - room
            assert await callers[0].is_open()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "RLIMIT_NOFILE" in caplog.text


async def talk_nonsense(served: Serving) -> None:
    caller = await served.call(ssl=None)
    await caller.send(b"\x00" * 100)
    await caller.rest()


async def test_log_lines_are_few(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "rcmon")
    async with serving() as served:
        for _ in range(12):
            await talk_nonsense(served)
        assert served.failures() == {"protocol": 12.0}
    lines = [message for message in caplog.messages if "SSL Error" not in message]  # rcmon.log drops these
    one = "refused a connection from 127.0.0.1: protocol: wrong version number"
    assert lines == [*[one] * 5, f"7 more lines like this one are left out: {one}"]


async def test_a_log_line_holds_no_control_character(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "rcmon")
    evil = pki.entity(pki.name("DC=ch", "CN=a\n2026-01-01 forged \u202e\x1b[2J"), ROOT)
    async with serving() as served:
        await (await served.call(evil)).ask("/small")
        assert served.failures() == {"name": 1.0}
        (line,) = served.logged()
        assert line.startswith(
            '"-" address=127.0.0.1 method=GET route=other path="/wm_resource_monitor/small"'
        )
        assert " code=403 bytes=" in line
    (message,) = caplog.messages
    assert message.isprintable()
    assert "forged" not in message or "\\u202e" in message


async def test_whatever_a_line_tells_stays_on_it(caplog: pytest.LogCaptureFixture) -> None:
    """What names hold is refused before; this is for what nobody thought of."""
    caplog.set_level("INFO", "rcmon")
    async with serving() as served:
        served.server.state.guard.refused("other", "127.0.0.1", "a\nb\x1b[2J\u202ec\u2028d")
    (message,) = caplog.messages
    assert message == "refused a connection from 127.0.0.1: other: a\\u000ab\\u001b[2J\\u202ec\\u2028d"


async def silent(served: Serving, address: str) -> None:
    """Connect, and say nothing: a handshake is under way until its time is over."""
    before = served.totals.value(HANDSHAKES)
    await served.call(ssl=None, local_addr=(address, 0))
    await served.until(lambda: served.totals.value(HANDSHAKES) == before + 1)


async def test_handshakes_under_way_are_capped_and_one_address_never_has_them_all() -> None:
    async with serving(handshakes=4, handshake_timeout=600) as served:
        assert await (await served.call()).is_open()
        await silent(served, "127.0.0.2")
        await silent(served, "127.0.0.2")
        await gets_nothing(served, local_addr=("127.0.0.2", 0))
        assert await (await served.call()).is_open()
        await silent(served, "127.0.0.3")
        await silent(served, "127.0.0.4")
        await gets_nothing(served)
        refused = {("handshakes_of_address",): 1.0, ("handshakes",): 1.0}
        assert served.counted(CONNECTIONS_REFUSED) == refused
        assert served.failures() == {"limit": 2.0}
        served.later(700)
        await served.until(lambda: served.totals.value(HANDSHAKES) == 0)
        assert await (await served.call()).is_open()

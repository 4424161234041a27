"""What a client may do is decided anew when anything changed or expired: on a connection that stays open."""

import asyncio
import contextlib
import datetime as dt
import logging
import socket
import ssl
import time
from collections.abc import Callable

import pytest

from rcmon.access.gate import Decision, Gate
from rcmon.access.identity import Identity
from rcmon.access.roles import RoleTable
from tests.access import pki
from tests.web.caller import head
from tests.web.pki import READER, ROOT, STRANGER, client, roles_of
from tests.web.serving import serving

both_ways = pytest.mark.parametrize("short", [True, False], ids=["short way", "Tornado's way"])


class Counted(Gate):
    """A gate that counts how often it is asked."""

    asked = 0

    def decide(self, identity: Identity, now: float) -> Decision:
        self.asked += 1
        return super().decide(identity, now)


@both_ways
async def test_a_role_that_is_taken_away_is_gone_at_the_next_request(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call()
        for _ in range(2):
            assert (await caller.ask("/small")).status == 200
        served.gate.replace_roles(RoleTable())
        assert (await caller.ask("/small")).status == 403
        served.gate.replace_roles(roles_of(READER))
        assert (await caller.ask("/small")).status == 200


@both_ways
async def test_a_role_that_is_given_holds_at_the_next_request(short: bool) -> None:
    async with serving(short=short) as served:
        caller = await served.call(STRANGER)
        assert (await caller.ask("/small")).status == 403
        served.gate.replace_roles(roles_of(READER, STRANGER))
        assert (await caller.ask("/small")).status == 200


@both_ways
async def test_a_proxy_that_expires_ends_its_rights_on_an_open_connection(
    short: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock that requests are decided by is put forward: nobody waits for hours in a test."""
    proxy = pki.proxy(READER, lasts=dt.timedelta(hours=1))
    async with serving(short=short) as served:
        caller = await served.call(proxy)
        for _ in range(2):
            assert (await caller.ask("/small")).status == 200
        end = proxy.certificate.not_valid_after_utc.timestamp()
        monkeypatch.setattr("rcmon.web.transport.peer.time.time", lambda: end - 1)
        assert (await caller.ask("/small")).status == 200
        monkeypatch.setattr("rcmon.web.transport.peer.time.time", lambda: end)
        answer = await caller.ask("/small")
        assert answer.status == 403
        assert b"expired" in answer.body


@both_ways
@pytest.mark.parametrize("jump", [-400 * 86400.0, 400 * 86400.0], ids=["back", "forward"])
async def test_a_clock_that_jumps_and_is_set_right_again_lets_everybody_in_again(
    short: bool, jump: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = time.time()
    async with serving(short=short) as served:
        caller = await served.call()
        for offset, status in ((0.0, 200), (jump, 403), (0.0, 200), (-jump, 403), (0.0, 200)):
            monkeypatch.setattr("rcmon.web.transport.peer.time.time", lambda now=right + offset: now)
            assert (await caller.ask("/small")).status == status
        assert (await (await served.call()).ask("/small")).status == 200


@both_ways
async def test_nothing_is_decided_anew_while_nothing_changed(short: bool) -> None:
    gate = Counted(roles_of(READER))
    async with serving(short=short, gate=gate) as served:
        caller = await served.call()
        await caller.ask("/small")
        asked = gate.asked
        for _ in range(20):
            await caller.ask("/small")
        assert gate.asked == asked
        gate.replace_roles(roles_of(READER))
        await caller.ask("/small")
        assert gate.asked == asked + 1


async def test_the_identity_is_behind_the_proxy() -> None:
    async with serving() as served:
        caller = await served.call(pki.proxy(pki.proxy(READER)))
        assert (await caller.ask("/small")).status == 200
        assert served.logged()[0].startswith('"/DC=ch/CN=reader" address=127.0.0.1 method=GET route=/small ')
        (connection,) = served.server.live
        assert connection.peer.identity.proxy_depth == 2
        assert str(connection.peer) == "127.0.0.1"


async def test_each_connection_has_its_own_peer() -> None:
    other = pki.entity(pki.name("DC=ch", 'CN=o"ther'), ROOT)
    async with serving(gate=Gate(roles_of(READER))) as served:
        first, second = await served.call(), await served.call(other)
        for _ in range(3):
            assert (await first.ask("/small")).status == 200
            assert (await second.ask("/small")).status == 403
        assert [line.partition(" ")[0] for line in served.logged()] == [
            '"/DC=ch/CN=reader"',
            '"/DC=ch/CN=o\\"ther"',
        ] * 3


async def test_an_error_of_ours_ends_one_connection_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Gate):
        def admit(self, chain_der: object) -> Identity:
            raise RuntimeError("meant to fail")

    async with serving(gate=Broken(roles_of(READER))) as served:
        caller = await served.call()
        await caller.send(head("/small"))
        assert await caller.rest() == b""
        assert not served.server.live
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info
    assert record.getMessage() == "the connection from 127.0.0.1 failed"


async def test_a_resumed_session_is_whom_its_first_connection_proved() -> None:
    """OpenSSL hides the chain of one; parallel clients resume under TLS 1.2."""

    def visit(port: int) -> list[tuple[bool | None, bytes]]:
        context, found, session = client(READER, ssl.TLSVersion.TLSv1_2), [], None
        with contextlib.ExitStack() as stack:
            for _ in range(3):
                plain = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                secure = stack.enter_context(context.wrap_socket(plain, session=session))
                secure.sendall(head("/small"))
                found.append((secure.session_reused, secure.recv(12)))
                session = secure.session
        return found

    async with serving() as served:
        found = await asyncio.to_thread(visit, served.port)
        assert found == [(False, b"HTTP/1.1 200"), (True, b"HTTP/1.1 200"), (True, b"HTTP/1.1 200")]
        assert all(line.startswith('"/DC=ch/CN=reader" ') for line in served.logged())
        assert served.failures() == {}


async def test_a_resumed_session_is_known_however_many_others_there_were() -> None:
    """As monitoring clients do it: one connection is open all the time, others come and go beside it."""

    def visit(port: int) -> list[tuple[bool | None, bytes]]:
        context, found = client(READER, ssl.TLSVersion.TLSv1_2), []

        def ask(stack: contextlib.ExitStack, session: ssl.SSLSession | None) -> ssl.SSLSocket:
            plain = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            secure = stack.enter_context(context.wrap_socket(plain, session=session))
            secure.sendall(head("/small"))
            found.append((secure.session_reused, secure.recv(12)))
            return secure

        with contextlib.ExitStack() as lasting:
            first = ask(lasting, None)
            for _ in range(260):
                with contextlib.ExitStack() as passing:
                    ask(passing, None)
            ask(lasting, first.session)
        return found

    async with serving() as served:
        found = await asyncio.to_thread(visit, served.port)
        assert {code for _, code in found} == {b"HTTP/1.1 200"}
        assert [reused for reused, _ in found] == [False] * 261 + [True]
        assert served.failures() == {}


async def test_a_session_that_nobody_knows_is_cut_and_the_next_try_is_let_in() -> None:
    """Not refused: the client did nothing wrong. (The chains are made to forget, to cause that.)"""

    def visit(port: int, forget: Callable[[], None]) -> list[tuple[bool | None, bytes]]:
        context, found, session = client(READER, ssl.TLSVersion.TLSv1_2), [], None
        with contextlib.ExitStack() as stack:
            for _ in range(3):
                plain = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                secure = stack.enter_context(context.wrap_socket(plain, session=session))
                with contextlib.suppress(OSError):
                    secure.sendall(head("/small"))
                    found.append((secure.session_reused, secure.recv(12)))
                session = session or secure.session
                forget()
        return found

    async with serving() as served:
        known = served.server.state.chains._chains
        found = await asyncio.to_thread(visit, served.port, known.clear)
        assert found == [(False, b"HTTP/1.1 200"), (True, b""), (False, b"HTTP/1.1 200")]
        assert served.failures() == {"no_chain": 1.0}

"""TLS 1.2 sessions: what is remembered is what OpenSSL may resume, no less and no more."""

import gc
import ssl
from collections.abc import Iterator, Sequence

import pytest

from rcmon.access.handshake.credential import Credential
from rcmon.access.handshake.sessions import SessionChains
from rcmon.access.handshake.tls import server_context
from rcmon.errors import IdentityError
from tests.access import pki
from tests.access.place import ALICE, ROOT
from tests.web.pki import client

HOST = pki.host(ROOT)
CLIENT = client(ALICE, ssl.TLSVersion.TLSv1_2)
LASTING = 7.0


class Clock:
    """Moved by the test."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Connection:
    """A connection in memory, the server's end with its chain."""

    def __init__(
        self, context: ssl.SSLContext, chains: SessionChains, session: ssl.SSLSession | None = None
    ) -> None:
        up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._chains = chains
        self.server: ssl.SSLObject | None = context.wrap_bio(up, down, server_side=True)
        self.client = CLIENT.wrap_bio(down, up, session=session)

    def begin(self) -> None:
        """Shake hands until the server has found the session, or made one."""
        for end in (self.client, self.server):
            with pytest.raises(ssl.SSLWantReadError):
                end.do_handshake()  # type: ignore[union-attr]

    def finish(self) -> Sequence[bytes]:
        """Shake hands to the end; gives the chain."""
        assert self.server is not None
        left: list[ssl.SSLObject] = [self.client, self.server]
        while left:
            end = left.pop(0)
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                left.append(end)
        return self._chains.chain_of(self.server)

    def close(self) -> None:
        """End it as the server does under TLS 1.2: without a close_notify."""
        assert self.server is not None
        self._chains.ended(self.server)
        self.server = None
        gc.collect()


@pytest.fixture(autouse=True)
def young() -> Iterator[None]:
    """Let the many collections of garbage below look at what these tests make, not at the whole process."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def context() -> ssl.SSLContext:
    return server_context(Credential((HOST.certificate,), HOST.key), [ROOT.certificate])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def chains(clock: Clock) -> SessionChains:
    return SessionChains(LASTING, clock)


def test_openssl_holds_sessions_of_open_connections_only(
    context: ssl.SSLContext, chains: SessionChains, clock: Clock
) -> None:
    """The ground that this stands on: one bound for both, however many come and go."""
    lasting = [Connection(context, chains) for _ in range(5)]
    for connection in lasting:
        connection.finish()
    for _ in range(300):
        passing = Connection(context, chains)
        passing.finish()
        passing.close()
        clock.now += LASTING / 10
        assert context.session_stats()["number"] == 5
        assert len(chains) <= 5 + 11
    clock.now += LASTING
    for connection in lasting:
        connection.close()
    clock.now += LASTING
    chains.ended(Connection(context, chains).server)  # type: ignore[arg-type]
    assert (context.session_stats()["number"], len(chains)) == (0, 0)


def test_whatever_openssl_resumes_is_known(context: ssl.SSLContext, chains: SessionChains) -> None:
    first = Connection(context, chains)
    proved = first.finish()
    assert len(proved) == 2
    others = [Connection(context, chains) for _ in range(300)]
    for other in others:
        other.finish()
    again = Connection(context, chains, first.client.session)
    assert again.finish() == proved
    assert again.server is not None
    assert again.server.session_reused


def test_a_session_whose_connection_ends_meanwhile_is_known(
    context: ssl.SSLContext, chains: SessionChains, clock: Clock
) -> None:
    first = Connection(context, chains)
    proved = first.finish()
    again = Connection(context, chains, first.client.session)
    again.begin()
    first.close()
    clock.now += LASTING - 1
    Connection(context, chains).finish()
    assert again.finish() == proved


def test_contexts_share_nothing(context: ssl.SSLContext, chains: SessionChains) -> None:
    """A rotated certificate or CA: whoever was verified under the old ones is verified again."""
    first = Connection(context, chains)
    first.finish()
    for _ in range(20):
        fresh = server_context(Credential((HOST.certificate,), HOST.key), [ROOT.certificate])
        again = Connection(fresh, chains, first.client.session)
        assert again.finish()
        assert again.server is not None
        assert not again.server.session_reused
        again.close()


def test_who_cannot_be_told_apart_shakes_hands_in_full(
    context: ssl.SSLContext, chains: SessionChains
) -> None:
    """It cannot be by what the tests above hold; where it is, a cut makes OpenSSL forget the session too."""
    first = Connection(context, chains)
    proved = first.finish()
    forgetful = SessionChains(LASTING)
    again = Connection(context, forgetful, first.client.session)
    with pytest.raises(IdentityError, match="not known any more") as caught:
        again.finish()
    assert caught.value.reason == "no_chain"
    del caught  # its traceback holds the connection
    again.close()
    third = Connection(context, forgetful, first.client.session)
    assert third.finish() == proved
    assert third.server is not None
    assert not third.server.session_reused

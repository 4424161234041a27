"""How often an identity may ask: token buckets, the same on both ways, for all connections together."""

import pytest

from rcmon.access.gate import Gate
from rcmon.access.identity import Identity, identify
from rcmon.telemetry.own import REQUESTS_REFUSED
from rcmon.web.bounds import tell_bounds
from rcmon.web.transport.guard import ClientLimits
from rcmon.web.transport.pace import BURST, Buckets
from tests.access import pki
from tests.web.caller import Caller, head
from tests.web.pki import READER, ROOT, roles_of
from tests.web.serving import serving

OTHER = pki.entity(pki.name("DC=ch", "CN=other"), ROOT)
SLOWLY = 1e-6
"""Requests a second: a test sees none of them come back."""


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def one(credential: pki.Credential = READER) -> Identity:
    return identify([credential.der, ROOT.der])


def taken(pace: Buckets, credential: pki.Credential = READER) -> int:
    """Take all that there is, up to a million."""
    bucket = pace.enters(one(credential))
    return next((count for count in range(1_000_000) if not bucket.take()), 1_000_000)


def test_a_burst_and_then_the_rate() -> None:
    clock = Clock()
    pace = Buckets(10.0, clock)
    assert taken(pace) == 10 * BURST
    assert taken(pace) == 0
    clock.now += 0.25
    assert taken(pace) == 2
    clock.now += 0.06
    assert taken(pace) == 1
    clock.now += 1e6
    assert taken(pace) == 10 * BURST


def test_a_steady_rate_is_never_refused() -> None:
    clock = Clock()
    pace = Buckets(10.0, clock)
    bucket = pace.enters(one())
    for _ in range(1000):
        clock.now += 0.1 + 1e-9
        assert bucket.take()


def test_less_than_one_a_second() -> None:
    clock = Clock()
    pace = Buckets(0.1, clock)
    assert taken(pace) == 1
    clock.now += 9.9
    assert taken(pace) == 0
    clock.now += 0.2
    assert taken(pace) == 1


def test_none_where_none_is_asked_for() -> None:
    assert taken(Buckets(0.0, Clock())) == 1_000_000


def test_identities_do_not_share() -> None:
    pace = Buckets(10.0, Clock())
    assert taken(pace) == taken(pace, OTHER) == 10 * BURST


def test_a_new_connection_is_no_new_right_until_the_bucket_is_full_again() -> None:
    clock = Clock()
    pace = Buckets(10.0, clock)
    bucket = pace.enters(one())
    while bucket.take():
        pass
    pace.leaves(bucket)
    pace.tick()
    assert pace.enters(one()) is bucket
    pace.leaves(bucket)
    clock.now += BURST + 0.1
    pace.tick()
    assert len(pace) == 0


async def asked(caller: Caller, path: str) -> int:
    answer = await caller.ask(path)
    if answer.status == 429:
        assert answer.fields["retry-after"] == "1"
        assert answer.fields["content-type"] == "application/problem+json"
        assert b"CN=reader asks for more than 1e-06 requests a second" in answer.body
    return answer.status


@pytest.mark.parametrize("short", [True, False], ids=["short way", "Tornado's way"])
async def test_whoever_asks_too_often_is_told_to_wait(short: bool) -> None:
    gate = Gate(roles_of(READER, OTHER))
    async with serving(short=short, gate=gate, request_rate=SLOWLY) as served:
        caller, again, other = await served.call(), await served.call(), await served.call(OTHER)
        await caller.ask("/small")
        caller_bucket = served.server.state.pace.enters(one())
        caller_bucket.left = 4.0
        assert [await asked(caller, "/small") for _ in range(3)] == [200, 200, 200]
        assert await asked(again, "/nowhere") == 404
        assert [await asked(each, "/small") for each in (caller, again, caller)] == [429, 429, 429]
        assert (await other.ask("/small")).status == 200
        caller_bucket.left = 1.0
        assert await asked(caller, "/small") == 200
        assert served.counted(REQUESTS_REFUSED) == {("rate",): 3.0}
        assert served.requests()["other", "GET", "429"] == 3.0


async def test_a_body_that_is_not_waited_for_ends_the_connection() -> None:
    async with serving(request_rate=SLOWLY) as served:
        caller = await served.call()
        await caller.ask("/small")
        await caller.send(head("/echo", "Content-Length: 44", method="POST") + head("/small")[:44])
        answer = await caller.answer()
        assert (answer.status, answer.fields["connection"]) == (429, "close")


async def test_every_bound_is_told_with_what_is_taken_of_it() -> None:
    limits = {"connections": 3, "per_address": 2, "handshakes": 4, "request_rate": SLOWLY}
    async with serving(**limits) as served:
        caller = await served.call()
        assert [await asked(caller, "/small") for _ in range(2)] == [200, 429]
        await caller.send(b"")
        told = {one.name: one for one in tell_bounds(served.totals, ClientLimits(**limits))}
    assert (told["connections"].limit, told["connections"].used, told["connections"].struck) == (3, 1, 0)
    assert (told["handshakes"].limit, told["handshakes_per_address"].limit) == (4, 2)
    assert told["handshakes"].used == told["body_bytes"].used == told["streams"].used == 0
    assert told["requests_per_second_and_identity"].struck == 1
    assert all(one.limit for one in told.values() if one.name != "requests_per_second_and_identity")

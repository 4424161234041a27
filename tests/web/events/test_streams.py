"""How streams begin, leave and end: over real sockets and TLS."""

import asyncio
import datetime as dt
import re
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rcmon.access.authority.refusal import REVOKED, Refusal
from rcmon.access.chain import Chain
from rcmon.access.gate import Gate
from rcmon.access.roles import RoleTable
from rcmon.errors import StoreError
from rcmon.store import Store
from rcmon.telemetry.own import DURATIONS, STREAMS, STREAMS_ENDED, STREAMS_REFUSED
from rcmon.web.app import TABLE
from rcmon.web.events import hub
from tests.access import pki
from tests.web.caller import head
from tests.web.events.listening import Listener, listen
from tests.web.events.test_events import SITE, changed, journal, state, told
from tests.web.grid import NOW, make_snapshot
from tests.web.pki import CREDENTIALS, READER, roles_of
from tests.web.serving import PROCESSES, Serving, reluctant


@asynccontextmanager
async def worker(stores: Path, directory: Path, **options: Any) -> AsyncIterator[Serving]:
    """Run a worker that holds the grid's snapshot, with limits of its own."""
    copy = directory / "rcmon.sqlite"
    shutil.copy(stores / "full", copy)
    service = Serving(table=TABLE, store=Store(f"sqlite:///{copy}"), processes=PROCESSES, **options)
    try:
        await service.board.check()
        yield service
    finally:
        await service.end()


def ended(service: Serving) -> dict[str, float]:
    return {reason: count for (reason,), count in service.counted(STREAMS_ENDED).items()}


async def test_the_head_says_that_nobody_keeps_or_holds_it_back(service: Serving) -> None:
    stream = await listen(service)
    assert stream.fields["content-type"] == "text/event-stream"
    assert stream.fields["cache-control"] == "no-store"
    assert stream.fields["x-accel-buffering"] == "no"
    assert stream.fields["vary"] == "Accept-Encoding"
    assert stream.fields["connection"] == "close"
    assert "content-length" not in stream.fields
    assert stream.retry is not None
    assert 1000 <= stream.retry <= 4000


async def test_with_gzip_the_same_is_told_and_the_member_is_whole(service: Serving) -> None:
    plain, packed = await listen(service), await listen(service, "", "Accept-Encoding: gzip")
    assert "content-encoding" not in plain.fields
    assert packed.fields["content-encoding"] == "gzip"
    for number in range(1, 4):
        await service.publish(changed(make_snapshot(), NOW + 60 * number, slots=number))
        heard = await plain.next()
        assert await packed.next() == heard
        assert heard.data["sites"][0]["running_slots"] == number
    service.context.stop.set()
    await plain.end()
    await packed.end()  # which holds the member's end, checksum and length


async def test_each_thing_is_written_once_for_all_streams(
    service: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    monkeypatch.setattr("rcmon.web.events.occurrence.write", lambda *of: written.append(of) or iter(()))
    streams = [await listen(service, "", f"Accept-Encoding: {coding}") for coding in ("gzip", "identity") * 3]
    written.clear()
    places = [stream.last_id for stream in streams]
    await service.publish(changed(make_snapshot(), NOW + 60))
    for stream, place in zip(streams, places, strict=True):
        await stream.moved(place)
    assert len(written) == 1


async def test_a_client_of_http_1_0_gets_it_without_chunks(service: Serving) -> None:
    stream = await listen(service, version="1.0")
    assert "transfer-encoding" not in stream.fields
    await service.publish(changed(make_snapshot(), NOW + 60))
    assert (await told(stream, "snapshot"))["sites"][0]["name"] == SITE
    service.context.stop.set()
    await stream.end()


@pytest.mark.parametrize("version", ["1.1", "1.0"])
async def test_head_gives_the_head_alone_and_takes_no_room(service: Serving, version: str) -> None:
    stream = await listen(service, "", "Accept-Encoding: gzip", method="HEAD", version=version, settle=False)
    assert (stream.status, stream.fields["content-type"]) == (200, "text/event-stream")
    assert stream.fields["content-encoding"] == "gzip"
    assert await stream.caller.rest() == b""
    assert ended(service) == {}


async def test_no_coding_is_acceptable(service: Serving) -> None:
    answer = await service.ask("/api/events", Accept_Encoding="br, *;q=0")
    assert answer.code == 406
    assert service.counted(STREAMS) == {}


async def test_a_role_that_is_taken_away_ends_the_stream(service: Serving) -> None:
    stream = await listen(service)
    service.gate.replace_roles(RoleTable.parse("[roles]\n"))
    await stream.end()
    assert ended(service) == {"access": 1}
    refused = await listen(service, settle=False)
    assert refused.status == 403


async def test_a_proxy_that_expires_ends_the_stream(
    service: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = pki.proxy(READER, lasts=dt.timedelta(hours=1))
    stream, other = await listen(service, credential=proxy), await listen(service)
    end = proxy.certificate.not_valid_after_utc.timestamp()
    monkeypatch.setattr("rcmon.web.transport.peer.time.time", lambda: end)
    await stream.end()
    await service.publish(changed(make_snapshot(), NOW + 60))
    assert (await told(other, "snapshot"))["sites"][0]["name"] == SITE
    assert ended(service) == {"access": 1}


class Revoking:
    """A revocation list that names whom a test wants."""

    generation = 0
    revoked = False

    def refusal(self, chain: Chain, now: float) -> Refusal | None:
        return Refusal(REVOKED, "it is on the list") if self.revoked else None


async def test_a_certificate_that_is_revoked_ends_the_stream(stores: Path, tmp_path: Path) -> None:
    rule = Revoking()
    async with worker(stores, tmp_path, gate=Gate(roles_of(READER), revocation=rule)) as service:
        stream = await listen(service)
        rule.revoked, rule.generation = True, 1
        await stream.end()
        assert ended(service) == {"access": 1}


async def test_a_stop_ends_all_streams_at_once_and_whole(service: Serving) -> None:
    streams = [await listen(service), await listen(service, "", "Accept-Encoding: gzip")]
    service.context.stop.set()
    for stream in streams:
        await stream.end()
        assert await stream.caller.rest() == b""  # the connection ends with it: the next worker is another
    await service.until(lambda: not service.server.live)
    assert ended(service) == {"stop": 2}


async def test_a_drain_does_not_wait_for_streams(service: Serving) -> None:
    stream = await listen(service)
    service.context.stop.set()
    async with asyncio.timeout(300):
        await service.server.drain(3600, 1800)
    await stream.end()


async def test_who_comes_while_the_worker_stops_is_told_to_come_again(service: Serving) -> None:
    """A browser asks again by itself after a stream that ended, and not after an error."""
    service.context.stop.set()
    stream = await listen(service, settle=False)
    assert stream.status == 200
    await stream.end()
    assert await stream.part() is None
    assert stream.retry is not None


async def test_a_client_that_leaves_makes_room_at_once(stores: Path, tmp_path: Path) -> None:
    async with worker(stores, tmp_path, streams_per_identity=1) as service:
        for number in range(1, 4):
            stream = await listen(service)
            assert service.counted(STREAMS) == {(): 1}
            await stream.close()
            await service.until(lambda number=number: ended(service) == {"client": number})
            assert service.counted(STREAMS) == {}


async def test_more_streams_of_one_identity_are_refused_until_one_ends(stores: Path, tmp_path: Path) -> None:
    async with worker(stores, tmp_path, streams_per_identity=2) as service:
        first, _ = await listen(service), await listen(service)
        refused = await service.ask("/api/events")
        assert (refused.code, refused.headers["Retry-After"]) == (429, "30")
        assert "2 event streams open" in msgspec.json.decode(refused.body)["detail"]
        await listen(service, credential=CREDENTIALS["operator"])  # others have room
        assert service.counted(STREAMS_REFUSED) == {("identity",): 1}
        await first.close()
        await service.until(lambda: service.counted(STREAMS) == {(): 2})
        await listen(service)


async def test_more_streams_in_total_are_refused(stores: Path, tmp_path: Path) -> None:
    async with worker(stores, tmp_path, streams=2) as service:
        await listen(service)
        await listen(service, credential=CREDENTIALS["operator"])
        refused = await service.ask("/api/events", "admin")
        assert (refused.code, refused.headers["Retry-After"]) == (503, "30")
        assert service.counted(STREAMS_REFUSED) == {("total",): 1}
        status = msgspec.json.decode((await service.ask("/api/status")).body)
        assert status["streams"] == {"open": 2, "refused": 1, "most": 2, "most_per_identity": 100}


async def fill(service: Serving, times: int) -> None:
    """Let so much happen that no socket takes it all."""
    for number in range(times):
        await journal(service, *(state(number, "x" * 900, f"T2_{one}") for one in range(2000)))
        await service.services.hub.look()


async def test_who_does_not_take_what_happens_is_cut_and_nobody_else(service: Serving) -> None:
    caller = await reluctant(service)
    await caller.send(head("/api/events"))
    slow = Listener(caller)
    await service.until(lambda: service.counted(STREAMS) == {(): 1})
    quick = await listen(service)
    reading = asyncio.create_task(_read(quick))
    await fill(service, hub.BEHIND + 3)
    await service.until(lambda: ended(service) == {"slow": 1})
    assert service.counted(STREAMS) == {(): 1}
    await slow.caller.rest()
    reading.cancel()


async def _read(stream: Listener) -> None:
    while True:
        await stream.next()


async def test_who_takes_nothing_for_the_write_timeout_is_cut(stores: Path, tmp_path: Path) -> None:
    async with worker(stores, tmp_path, write_timeout=5.0) as service:
        caller = await reluctant(service)
        await caller.send(head("/api/events"))
        await service.until(lambda: service.counted(STREAMS) == {(): 1})
        await fill(service, 1)
        await service.until(lambda: any(one.wire.stream.writing() for one in service.server.live))
        service.later(6.0)
        await service.until(lambda: ended(service) == {"client": 1})


async def test_the_access_log_tells_of_a_stream_once_it_ended(service: Serving) -> None:
    stream = await listen(service, "?kind=snapshot")
    assert service.logged() == []
    await stream.close()
    await service.until(service.logged)
    (line,) = service.logged()
    assert 'route=/api/events path="/wm_resource_monitor/api/events?kind=snapshot"' in line
    assert "code=200" in line


async def test_a_stream_counts_as_answered_when_it_begins_and_its_line_tells_how_long_it_was(
    service: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = await listen(service)
    now = time.perf_counter()
    monkeypatch.setattr("rcmon.web.transport.tornado_way.time.perf_counter", lambda: now + 100_000.0)
    await stream.close()
    await service.until(service.logged)
    found = re.search(r" duration=([0-9.]+) ", "".join(service.lines))
    assert found is not None
    assert float(found[1]) > 90_000
    sums = {labels: total for labels, _, total in service.totals.histograms(DURATIONS)}
    assert 0 < sums["/api/events",] < 90_000


async def test_where_telling_fails_all_streams_end_and_the_next_ones_are_told_again(
    service: Serving, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stream = await listen(service)
    with monkeypatch.context() as broken:
        broken.setattr(service.services.hub._lookout, "look", _broken)
        await stream.end()
    assert ended(service) == {"error": 1}
    assert "meant to fail" in caplog.text
    again = await listen(service)
    await service.publish(changed(make_snapshot(), NOW + 60))
    assert (await told(again, "snapshot"))["sites"][0]["name"] == SITE


async def _broken() -> None:
    raise ValueError("meant to fail")


async def test_a_store_that_fails_ends_no_stream(service: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = await listen(service)
    asked = []

    async def failing(question: object) -> None:
        asked.append(1)
        raise StoreError("meant to fail")

    with monkeypatch.context() as broken:
        broken.setattr(service.store, "look", failing)
        await service.until(lambda: len(asked) > 2)
    await journal(service, state(1, "Down"))
    assert [one["new"] for one in (await told(stream, "journal"))["entries"]] == [{"state": "Down"}]

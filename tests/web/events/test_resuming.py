"""A stream that broke goes on where it was: at the same worker, at another, after a restart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rcmon.store import Store
from rcmon.store.reader import StoredSnapshots
from rcmon.web.app import TABLE
from rcmon.web.board import Held
from rcmon.web.events import lookout
from rcmon.web.events.place import place_of, read_place
from tests.web.events.listening import listen
from tests.web.events.test_events import SITE, changed, journal, state, told
from tests.web.grid import NOW, make_snapshot
from tests.web.serving import PROCESSES, Serving


@asynccontextmanager
async def another(service: Serving) -> AsyncIterator[Serving]:
    """Run another worker over the same store."""
    assert service.store
    other = Serving(table=TABLE, store=Store(f"sqlite:///{service.store.address.path}"), processes=PROCESSES)
    try:
        await other.board.check()
        yield other
    finally:
        await other.end()


async def test_what_happened_meanwhile_comes_as_one(service: Serving) -> None:
    stream = await listen(service)
    place, snapshot = stream.last_id, make_snapshot()
    await stream.close()
    keeps_the_worker_looking = await listen(service)
    for number in range(1, 4):
        await service.publish(changed(snapshot, NOW + 60 * number, slots=number))
        assert (await keeps_the_worker_looking.next()).name == "snapshot"
    await journal(service, state(1, "Down"), state(2, "Normal"))
    assert (await keeps_the_worker_looking.next()).name == "journal"
    again = await listen(service, "", f"Last-Event-ID: {place}", settle=False)
    data = await told(again, "snapshot")
    assert [(one["name"], one["running_slots"]) for one in data["sites"]] == [(SITE, 3)]
    assert data["cycle"] - data["since"] == 3
    assert [one["new"] for one in (await told(again, "journal"))["entries"]] == [
        {"state": "Down"},
        {"state": "Normal"},
    ]
    await service.publish(changed(snapshot, NOW + 600, slots=9))  # and on it goes
    data = await told(again, "snapshot")
    assert (data["cycle"] - data["since"], data["sites"][0]["running_slots"]) == (1, 9)


async def test_another_worker_knows_the_place_too(service: Serving) -> None:
    stream = await listen(service)
    await journal(service, state(1, "Down"))
    assert (await stream.next()).name == "journal"
    for number in (1, 2):  # the store keeps three
        await service.publish(changed(make_snapshot(), NOW + 60 * number, slots=number))
        await journal(service, state(10 * number, "Normal"))
    async with another(service) as other:
        again = await listen(other, "", f"Last-Event-ID: {stream.last_id}", settle=False)
        data = await told(again, "snapshot")
        assert [(one["name"], one["running_slots"]) for one in data["sites"]] == [(SITE, 2)]
        entries = (await told(again, "journal"))["entries"]
        assert [one["new"] for one in entries] == [{"state": "Normal"}] * 2


async def test_a_worker_to_which_nobody_listened_for_long_goes_by_the_store(service: Serving) -> None:
    await (await listen(service)).close()
    await service.until(lambda: not service.services.hub.is_looking)
    async with another(service) as other:
        stream = await listen(other)
        await service.publish(changed(make_snapshot(), NOW + 60, slots=1))
        await other.board.check()
        assert (await stream.next()).name == "snapshot"
        place = stream.last_id
    await service.publish(changed(make_snapshot(), NOW + 120, slots=2))
    again = await listen(service, "", f"Last-Event-ID: {place}", settle=False)
    data = await told(again, "snapshot")
    assert (data["cycle"] - data["since"], data["sites"][0]["running_slots"]) == (1, 2)


async def test_who_missed_nothing_is_told_nothing(service: Serving) -> None:
    place = (await listen(service)).last_id
    again = await listen(service, "", f"Last-Event-ID: {place}")  # which sees no event
    assert again.last_id == place


async def test_the_parameter_is_for_those_who_cannot_send_the_field(service: Serving) -> None:
    place = (await listen(service)).last_id
    await service.publish(changed(make_snapshot(), NOW + 60))
    again = await listen(service, f"?last_event_id={place}", settle=False)
    assert (await told(again, "snapshot"))["sites"][0]["name"] == SITE
    now = (await listen(service)).last_id
    await listen(service, f"?last_event_id={place}", f"Last-Event-ID: {now}")  # the field counts: no event


async def test_a_page_goes_on_from_the_snapshot_that_it_shows(service: Serving) -> None:
    """It knows of no entry of the journal: that begins with the stream."""
    held = service.board.current
    assert held is not None
    shown = place_of(held.number, held.facts.started).written()
    await journal(service, state(1, "Down"))
    await service.publish(changed(make_snapshot(), NOW + 60))
    stream = await listen(service, f"?last_event_id={shown}", settle=False)
    assert (await told(stream, "snapshot"))["sites"][0]["name"] == SITE
    await journal(service, state(2, "Normal"))
    assert [one["new"] for one in (await told(stream, "journal"))["entries"]] == [{"state": "Normal"}]


async def test_what_is_too_long_ago_unknown_or_no_id_is_to_be_loaded_anew(service: Serving) -> None:
    held = service.board.current
    assert held is not None
    later = f"{held.number + 5}.1767268788000.1"
    for place in ("1.1.1", f"{held.number}.123.1", later, "nonsense", "\xe4", "9" * 3000):
        stream = await listen(service, "", f"Last-Event-ID: {place}", settle=False)
        data = await told(stream, "reload")
        assert data["cycle"] == held.number
        assert data["reason"]
        assert stream.last_id is not None
        assert read_place(stream.last_id)
        await stream.close()


async def test_more_of_the_journal_than_is_told_at_once_is_to_be_loaded_anew(service: Serving) -> None:
    place = (await listen(service)).last_id
    await journal(service, *(state(number, "Down") for number in range(lookout.MOST)))
    stream = await listen(service, "", f"Last-Event-ID: {place}", settle=False)
    assert "journal" in (await told(stream, "reload"))["reason"]


async def test_a_store_that_was_made_again_is_another(service: Serving) -> None:
    """Its numbers begin anew: what has the same number is something else."""
    stream = await listen(service)
    held = service.board.current
    assert held is not None
    other = await _as_if_made_again(service)
    data = await told(stream, "reload")
    assert data["cycle"] == other
    await service.publish(changed(make_snapshot(), NOW + 120))
    assert (await told(stream, "snapshot"))["since"] == other


async def _as_if_made_again(service: Serving) -> int:
    """Let the board hold a snapshot with the number of the one before."""
    held = service.board.current
    assert held is not None
    assert service.store
    loaded = await StoredSnapshots(service.store).load(held.number)
    assert loaded is not None
    service.board.current = Held(loaded)
    return held.number


async def test_before_the_first_snapshot_a_stream_waits_for_it(empty_service: Serving) -> None:
    stream = await listen(empty_service, settle=False)
    assert await stream.part() is None
    await empty_service.publish(make_snapshot())
    data = await told(stream, "reload")
    assert empty_service.board.current is not None
    assert data["cycle"] == empty_service.board.current.number
    await empty_service.publish(changed(make_snapshot(), NOW + 60))
    assert (await told(stream, "snapshot"))["sites"][0]["name"] == SITE


async def test_many_that_come_at_once_are_told_the_same(service: Serving) -> None:
    stream = await listen(service)
    place = stream.last_id
    await service.publish(changed(make_snapshot(), NOW + 60))
    streams = await asyncio.gather(
        *(listen(service, "", f"Last-Event-ID: {place}", settle=False) for _ in range(10))
    )
    heard = [await told(one, "snapshot") for one in [stream, *streams]]
    assert heard == [heard[0]] * 11

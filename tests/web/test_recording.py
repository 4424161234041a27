"""What becomes of the roles file stands in the journal, once."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from rcmon.model.journal import JournalEntry
from rcmon.store import Store
from rcmon.store.journal import JournalSpan, read_journal
from rcmon.web.recording import RolesRecord
from tests.access.place import Place
from tests.web.test_worker import working


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def store(io_loop: IOLoop, tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path / 'rcmon.sqlite'}")
    yield made
    io_loop.run_sync(made.close)


async def kept(store: Store) -> list[JournalEntry]:
    """Read what the journal tells of roles, oldest first."""
    async with store.asking() as connection:
        found = await read_journal(connection, JournalSpan(limit=100, kinds=("roles",)))
    return [one.entry for one in reversed(found)]


def told(entry: JournalEntry) -> tuple[Any, Any]:
    assert entry.new is not None
    return entry.new["taken_up"], entry.new["entries"]


async def test_what_is_taken_up_and_what_is_refused_is_told_once_whoever_looks(
    place: Place, store: Store
) -> None:
    await store.migrate()
    trust = place.trust()
    records = [
        RolesRecord(trust, store, "roles.toml", lambda: 5.0) for _ in range(2)
    ]  # a worker, its successor

    async def look() -> None:
        trust.follow()
        for record in records * 2:
            await record.look()

    await look()
    place.grant("dn:/DC=ch/CN=alice", "dn:/DC=ch/CN=bob")
    await look()
    place.files.roles.write_text("[roles]\nwriter = []\n")
    await look()
    place.grant("dn:/DC=ch/CN=bob", "dn:/DC=ch/CN=alice")  # what was in use all along
    await look()
    entries = await kept(store)
    assert [told(entry) for entry in entries] == [(True, 1), (True, 2), (False, 2), (True, 2)]
    assert [entry.old for entry in entries] == [None, *(entry.new for entry in entries[:-1])]
    assert "'writer' is not a role" in (entries[2].new or {})["reason"]
    assert entries[3].new == entries[1].new
    assert (entries[0].time, entries[0].subject, entries[0].by) == (5.0, "roles.toml", None)


async def test_what_the_store_does_not_take_is_written_later(place: Place, store: Store) -> None:
    record = RolesRecord(place.trust(), store, "roles.toml", lambda: 5.0)
    await record.look()  # there is no store yet
    await store.migrate()
    await record.look()
    assert len(await kept(store)) == 1


async def test_the_first_worker_tells_it_by_itself(place: Place, tmp_path: Path, store: Store) -> None:
    async with working(place, tmp_path), asyncio.timeout(300):
        while not await kept(store):
            await asyncio.sleep(0.02)
        place.grant("dn:/DC=ch/CN=alice", "dn:/DC=ch/CN=bob")
        while len(await kept(store)) < 2:
            await asyncio.sleep(0.02)
    assert [told(entry) for entry in await kept(store)] == [(True, 1), (True, 2)]


async def test_no_other_worker_tells_it(place: Place, tmp_path: Path, store: Store) -> None:
    async with working(place, tmp_path, processes=("web-1", "web-0")) as one:
        place.grant("dn:/DC=ch/CN=alice", "dn:/DC=ch/CN=bob")
        one.context.reload()
        await one.until_taken_up("roles", "success")
    assert await kept(store) == []

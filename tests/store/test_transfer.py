"""A whole store in and out: what is put back is what was there, on either kind of database."""

import asyncio
import gzip
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from sqlalchemy.engine import URL

from rcmon.errors import StoreCorruptError, StoreError
from rcmon.store import Store
from rcmon.store.archive import read_archive
from rcmon.store.notes import read_notes
from rcmon.store.tables import ABOUT, LEASE, METADATA, NOTE, OVERRIDE_CHANGE
from rcmon.store.transfer import back_up, check_store, export_store, import_archive
from tests.store.made import agent, document, row, snapshot
from tests.store.using import newest_id, save

Opened = Callable[[str | URL], Store]


async def filled(store: Store, count: int = 3) -> None:
    """Put some of everything in that takes bytes, null, text, numbers and references."""
    for number in range(count):
        began = 1000.0 + number
        rows = [row(began, running=None if number else 5), row(began, site="T2_\u00dc")]
        await save(store, snapshot(began, [agent("a")]), [document(text=bytes(range(256)))], rows)
    async with store.adding() as connection:
        await connection.execute(insert(LEASE), {"name": "another", "holder": "somebody", "expires": 9e9})


async def content(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Read all that is to be moved, but for the notes, which tell how a store came to be."""
    found = {}
    async with store.reading() as connection:
        for table in METADATA.sorted_tables:
            if table not in (LEASE, NOTE):
                rows = await connection.execute(select(table))
                found[table.name] = sorted(map(tuple, rows), key=repr)
    return found


async def saved(store: Store, begin: float) -> None:
    """Save some snapshots, one after the other."""
    for number in range(5):
        began = begin + number
        await save(store, snapshot(began), [document(text=os.urandom(20_000))], [row(began)])


@pytest.fixture(params=["sqlite", "postgresql"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> str | URL:
    """Name a place for another store, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/elsewhere.sqlite"
    made: URL = request.getfixturevalue("new_database")()
    return made


async def test_what_is_exported_and_imported_is_what_was_there(
    store: Store, open_store: Opened, elsewhere: str | URL, tmp_path: Path
) -> None:
    await filled(store)
    before = await content(store)
    counts = await export_store(store, tmp_path / "archive")
    other = open_store(elsewhere)
    await other.migrate()
    assert await import_archive(other, tmp_path / "archive") == counts
    assert await content(other) == before
    assert sum(counts.values()) == sum(map(len, before.values())) + counts["note"]
    assert [note.text for note in await other.look(read_notes)][-1] == "the store was filled from archive"
    last = await newest_id(other)
    assert last is not None
    assert await save(other, snapshot(2000.0), [], [row(2000.0, site="T2_NEW")]) > last
    assert await check_store(other)
    assert (tmp_path / "archive").stat().st_mode & 0o077 == 0


async def test_a_backup_is_a_store(store: Store, open_store: Opened, tmp_path: Path) -> None:
    await filled(store)
    before = await content(store)
    assert await back_up(store, tmp_path / "copy") == (tmp_path / "copy").stat().st_size
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy"]
    restored = open_store(f"sqlite:///{tmp_path}/copy")
    await restored.migrate()
    assert await content(restored) == before
    assert await check_store(restored)


async def test_a_writer_goes_on_meanwhile(
    store: Store, open_store: Opened, url: str | URL, tmp_path: Path
) -> None:
    await filled(store)
    tool = open_store(url)
    for number, action in enumerate((export_store, back_up)):
        target = tmp_path / f"target{number}"
        await asyncio.gather(action(tool, target), saved(store, 5000.0 + 10 * number))
    await asyncio.gather(check_store(tool), saved(store, 6000.0))
    other = open_store(f"sqlite:///{tmp_path}/other")
    await other.migrate()
    await import_archive(other, tmp_path / "target0")
    assert await check_store(other)
    assert await check_store(open_store(f"sqlite:///{tmp_path}/target1"))


async def test_a_store_that_holds_something_is_not_filled(store: Store, tmp_path: Path) -> None:
    await filled(store)
    await export_store(store, tmp_path / "archive")
    before = await content(store)
    with pytest.raises(StoreError, match="holds something already"):
        await import_archive(store, tmp_path / "archive")
    assert await content(store) == before


async def test_nothing_is_written_over(store: Store, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    for action in (export_store, back_up):
        with pytest.raises(StoreError, match="is there already"):
            await action(store, tmp_path / "there")
    assert (tmp_path / "there").read_text() == "mine"


@pytest.fixture
def lone(open_store: Opened, tmp_path: Path) -> Store:
    return open_store(f"sqlite:///{tmp_path}/rcmon.sqlite")


async def test_an_archive_that_is_harmed_leaves_nothing_behind(
    lone: Store, open_store: Opened, tmp_path: Path
) -> None:
    await lone.migrate()
    await filled(lone)
    await export_store(lone, tmp_path / "archive")
    whole = (tmp_path / "archive").read_bytes()
    frames = gzip.decompress(whole)
    other = open_store(f"sqlite:///{tmp_path}/other.sqlite")
    await other.migrate()
    before = await content(other)
    harmed = [whole[:cut] for cut in range(0, len(whole), max(1, len(whole) // 40))]
    harmed += [gzip.compress(frames[:cut]) for cut in (3, 10, len(frames) // 2, len(frames) - 1)]
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0x10
    harmed += [
        bytes(flipped),
        gzip.compress(frames + b"x"),
        b"SQLite format 3\0",
        gzip.compress(b"\xff" * 99),
        gzip.compress(frames.replace(b"history", b"hist\xffry", 1)),
    ]
    for data in harmed:
        (tmp_path / "harmed").write_bytes(data)
        with pytest.raises(StoreError, match="harmed"):
            await import_archive(other, tmp_path / "harmed")
        assert await content(other) == before
    with pytest.raises(StoreError, match="nowhere"):
        list(read_archive(tmp_path / "nowhere"))


async def test_damage_is_found(lone: Store, tmp_path: Path) -> None:
    await lone.migrate()
    await filled(lone)
    assert await check_store(lone)
    with closing(sqlite3.connect(tmp_path / "rcmon.sqlite")) as connection, connection:
        connection.execute("UPDATE document SET body = x'00' WHERE rowid = 1")
    with pytest.raises(StoreCorruptError, match="is damaged"):
        await check_store(lone)


async def test_what_a_full_disk_cuts_is_not_left_behind(
    lone: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lone.migrate()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for action in (export_store, back_up):
        with pytest.raises(StoreError, match="No space left on device"):
            await action(lone, tmp_path / "target")
    assert not list(tmp_path.glob("target*"))


def test_every_table_is_moved() -> None:
    """A table that is made later is moved, too, unless somebody decided otherwise."""
    assert {ABOUT.name, NOTE.name, OVERRIDE_CHANGE.name} <= set(METADATA.tables)

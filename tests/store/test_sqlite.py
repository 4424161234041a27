"""The SQLite file: its rights and mode, and what becomes of damaged, foreign and full ones."""

import asyncio
import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from rcmon.errors import StoreBusyError, StoreCorruptError, StoreError
from rcmon.store import Store, engine
from rcmon.store.migrations import APPLICATION_ID, revisions
from rcmon.store.pruning import Ages, prune
from rcmon.store.vacuum import RESERVE
from tests.store.made import agent, document, row, snapshot
from tests.store.using import kinds, last_snapshot, load_documents, newest_id, notes, save

OpenStore = Callable[[str | URL], Store]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "rcmon.sqlite"


@pytest.fixture
def store(open_store: OpenStore, path: Path) -> Store:
    """Make a store that is not migrated yet."""
    return open_store(f"sqlite:///{path}")


async def filled(store: Store, saves: int = 3) -> int:
    """Fill a store with some hundred kilobytes, and close it."""
    await store.migrate()
    number = 0
    for start in range(saves):
        documents = [document(f"agents/{n}", os.urandom(20_000)) for n in range(10)]
        rows = [row(start, start, site=f"T2_XX_{n}") for n in range(300)]
        number = await save(store, snapshot(start, [agent("a", 20)]), documents, rows)
    await store.close()
    return number


async def test_only_the_owner_may_read_the_file_and_its_log(store: Store, path: Path) -> None:
    before = os.umask(0)
    try:
        await store.migrate()
        await save(store, snapshot(), [], [])
    finally:
        os.umask(before)
    assert {file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()} == {
        "rcmon.sqlite": "0o600",
        "rcmon.sqlite-wal": "0o600",
        "rcmon.sqlite-shm": "0o600",
    }


async def test_the_file_is_marked_and_in_the_right_mode(store: Store) -> None:
    await store.migrate()
    expected = {
        "application_id": APPLICATION_ID,
        "user_version": len(revisions()),
        "journal_mode": "wal",
        "auto_vacuum": 2,
        "synchronous": 1,
        "foreign_keys": 1,
        "busy_timeout": 5000,
        "journal_size_limit": 64 << 20,
    }
    async with store.reading() as connection:
        found = {name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one() for name in expected}
    assert found == expected


async def test_nothing_but_migrate_makes_a_file(store: Store, path: Path) -> None:
    path.parent.mkdir()
    with pytest.raises(StoreCorruptError, match="not there"):
        await newest_id(store)
    with pytest.raises(StoreCorruptError, match="not there"):
        await save(store, snapshot(), [], [])
    assert not path.exists()


def damage_garbage(path: Path) -> None:
    path.write_bytes(os.urandom(50_000))


def damage_zeros_at_the_beginning(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(bytes(4096))


def damage_zeros_in_the_middle(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 8192 * 4096)
        file.write(bytes(16384))


def damage_cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 3)


def damage_few_bytes(path: Path) -> None:
    path.write_bytes(b"SQLite")


DAMAGES = [
    damage_garbage,
    damage_zeros_at_the_beginning,
    damage_zeros_in_the_middle,
    damage_cut,
    damage_few_bytes,
]


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_file_is_set_aside_and_the_fact_told(
    store: Store, path: Path, damage: Callable[[Path], None]
) -> None:
    number = await filled(store)
    damage(path)
    damaged = path.read_bytes()
    await store.migrate()
    assert await kinds(store) == ["set_aside", "made"]
    (aside,) = path.parent.glob("*.damaged-*")
    assert aside.read_bytes() == damaged
    assert str(aside) in (await notes(store))[0].text
    assert await last_snapshot(store) is None
    assert await save(store, snapshot(), [], []) > number  # readers that know the old store see it as newer
    await store.close()
    path.write_bytes(b"again")
    await store.migrate()
    assert len(list(path.parent.glob("*.damaged-*"))) == 2


async def test_a_damaged_file_takes_its_log_along_and_who_still_holds_it_harms_nothing(
    store: Store, path: Path, open_store: OpenStore
) -> None:
    await filled(store)
    with closing(sqlite3.connect(path)) as holder:
        holder.execute("SELECT count(*) FROM snapshot").fetchall()
        damage_zeros_at_the_beginning(path)
        await store.migrate()
        parts = {
            part.name.partition(".damaged-")[2].partition("Z")[2] for part in path.parent.glob("*.damaged-*")
        }
        assert parts == {"", "-wal", "-shm"}
        number = await save(store, snapshot(), [document()], [])
    # the last one on the old file is gone: it must not have cleared the new file's log
    assert len(await load_documents(open_store(f"sqlite:///{path}"), number)) == 1


async def test_damage_while_in_use_is_told_and_migrate_heals_it(
    store: Store, path: Path, open_store: OpenStore
) -> None:
    number = await filled(store)
    reader = open_store(f"sqlite:///{path}")
    assert await newest_id(reader) == number
    await reader.close()
    damage_zeros_at_the_beginning(path)
    with pytest.raises(StoreCorruptError):
        await save(store, snapshot(), [], [])
    with pytest.raises(StoreCorruptError):
        await newest_id(reader)
    await store.migrate()
    newest = await save(store, snapshot(), [document()], [])
    assert await newest_id(reader) == newest
    assert len(await load_documents(reader, newest)) == 1


async def test_a_reader_follows_when_the_file_is_replaced_under_it(
    store: Store, path: Path, open_store: OpenStore
) -> None:
    await filled(store)
    reader = open_store(f"sqlite:///{path}")
    await newest_id(reader)  # and keeps it open
    path.rename(path.with_name("elsewhere"))
    with pytest.raises(StoreCorruptError, match="not there"):
        await newest_id(reader)
    await store.migrate()
    newest = await save(store, snapshot(), [], [])
    assert await newest_id(reader) == newest


async def test_an_empty_file_is_taken_and_what_that_means_is_told(store: Store, path: Path) -> None:
    await filled(store)
    path.write_bytes(b"")
    with pytest.raises(StoreCorruptError, match="no such table"):
        await newest_id(store)
    await store.migrate()
    assert await kinds(store) == ["made"]
    assert list(path.parent.glob("*.damaged-*")) == []


@pytest.mark.parametrize("mark", [0, 1234])
async def test_another_programs_database_is_refused_and_left_alone(
    store: Store, path: Path, mark: int
) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA application_id={mark}")
        other.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program's"):
        await store.migrate()
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == before


async def test_a_place_that_cannot_be_used_is_named(open_store: OpenStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for place in (tmp_path, tmp_path / "file" / "rcmon.sqlite", Path("/proc/rcmon.sqlite")):
        with pytest.raises(StoreError, match=str(place)):
            await open_store(f"sqlite:///{place}").migrate()


async def test_a_full_disk_is_an_error_that_passes(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await filled(store)
    with closing(sqlite3.connect(path)) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
    large = [document("sites", os.urandom(2_000_000))]
    with monkeypatch.context() as full:
        full.setattr(engine, "PRAGMAS", (*engine.PRAGMAS, f"max_page_count={pages}"))
        for _ in range(2):
            with pytest.raises(StoreError, match="full"):
                await save(store, snapshot(9.0), large, [row(9.0)])
        assert len(await load_documents(store, number)) == 10
        # what is no larger than what goes is still taken
        small = await save(store, snapshot(8.0), [document("sites", os.urandom(2_000))], [])
        assert await newest_id(store) == small
    await store.close()
    assert await save(store, snapshot(9.0), large, [row(9.0)]) > small


async def test_a_file_that_cannot_be_written_is_an_error_that_passes_and_stays_readable(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await filled(store)
    with monkeypatch.context() as locked:
        locked.setattr(engine, "PRAGMAS", (*engine.PRAGMAS, "query_only=ON"))
        with pytest.raises(StoreError, match="readonly"):
            await save(store, snapshot(), [], [])
        assert await newest_id(store) == number
    # a connection that met trouble is not used again: it would stay read-only
    assert await save(store, snapshot(), [], []) > number


async def test_a_write_that_must_wait_too_long_says_that_it_is_busy(store: Store, path: Path) -> None:
    await store.migrate()
    async with store.reading() as connection:
        await connection.exec_driver_sql("PRAGMA busy_timeout=10")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError, match="locked"):
            await save(store, snapshot(), [], [])
        assert await newest_id(store) is None  # reading never waits
    await save(store, snapshot(), [], [])


async def test_a_transaction_that_will_write_holds_its_place_from_its_begin(
    store: Store, path: Path, open_store: OpenStore
) -> None:
    await store.migrate()
    other = open_store(f"sqlite:///{path}")
    async with other.reading() as connection:
        await connection.exec_driver_sql("PRAGMA busy_timeout=10")
    async with store.transaction() as connection:
        await connection.exec_driver_sql("SELECT count(*) FROM note")
        with pytest.raises(StoreBusyError):
            await save(other, snapshot(), [], [])
        await connection.exec_driver_sql("DELETE FROM note")
    await save(other, snapshot(), [], [])


async def test_one_process_at_a_time_prepares_the_file(store: Store, path: Path) -> None:
    path.parent.mkdir()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        migrating = asyncio.ensure_future(store.migrate())
        await asyncio.sleep(0.3)
        assert not path.exists()
    finally:
        os.close(folder)
    await migrating
    assert path.exists()


async def test_a_log_without_its_file_is_not_taken_for_the_next_files(store: Store, path: Path) -> None:
    await filled(store)
    with closing(sqlite3.connect(path)) as holder:
        holder.execute("SELECT count(*) FROM snapshot").fetchall()
        path.unlink()
        await store.migrate()
        assert await newest_id(store) is None
        number = await save(store, snapshot(), [document()], [])
    assert await kinds(store) == ["set_aside", "made"]
    assert await newest_id(store) == number
    assert {part.name.rpartition("Z")[2] for part in path.parent.glob("*.damaged-*")} == {"-wal", "-shm"}


async def test_pruning_gives_space_back_but_for_a_reserve(store: Store, path: Path) -> None:
    await store.migrate()
    size = (RESERVE + 3000) * 4096
    await save(store, snapshot(1.0), [document("sites", os.urandom(size))], [])
    for start in (2.0, 3.0, 4.0):
        await save(store, snapshot(start), [], [])
    await prune(store, Ages(0, 0), 0)
    await store.close()
    assert RESERVE * 4096 <= path.stat().st_size < (RESERVE + 200) * 4096


def test_readers_see_whole_snapshots_while_a_writer_writes(path: Path) -> None:
    """Each snapshot has ten documents of its own text; three readers look as fast as they can."""
    seen: list[set[bytes]] = []
    done = threading.Event()

    async def read() -> None:
        store = Store(f"sqlite:///{path}")
        while not done.is_set():
            number = await newest_id(store)
            documents = await load_documents(store, number) if number else []
            if documents:
                assert len(documents) == 10
                seen.append({one.body for one in documents})
        await store.close()

    async def write() -> None:
        store = Store(f"sqlite:///{path}")
        try:
            for start in range(60):
                documents = [document(f"agents/{n}", b"%d " % start * 5000) for n in range(10)]
                await save(store, snapshot(start), documents, [row(start, start)])
        finally:
            done.set()
            await store.close()

    async def prepared() -> None:
        store = Store(f"sqlite:///{path}")
        await store.migrate()
        await store.close()

    async def together() -> None:
        writing = asyncio.to_thread(asyncio.run, write())
        await asyncio.gather(writing, *(asyncio.to_thread(asyncio.run, read()) for _ in range(3)))

    asyncio.run(prepared())
    asyncio.run(together())
    assert len(seen) > 10
    assert all(len(bodies) == 1 for bodies in seen)

"""What holds of the store on either kind of database."""

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.config import Config
from sqlalchemy import func, inspect, select, text
from sqlalchemy.engine import URL

from rcmon.errors import StoreBusyError, StoreCorruptError, StoreError
from rcmon.store import Store, migrations, revising
from rcmon.store.codec import pack, unpack
from rcmon.store.lease import new_term
from rcmon.store.migrations import revisions, upgrade
from rcmon.store.reader import StoredSnapshots
from rcmon.store.revising import scripts
from rcmon.store.tables import METADATA, SNAPSHOT
from tests.store.made import agent, document, row, snapshot
from tests.store.using import (
    acquire_lease,
    kinds,
    last_snapshot,
    load_documents,
    newest_id,
    notes,
    past,
    release_lease,
    save,
)

ROOT = Path(__file__).parents[2]
OpenStore = Callable[[str | URL], Store]
ONE, TWO = new_term("one"), new_term("two")


async def test_a_new_store_is_empty_and_says_that_it_is_new(store: Store) -> None:
    assert await newest_id(store) is None
    assert await last_snapshot(store) is None
    assert await load_documents(store, 1) == []
    assert await kinds(store) == ["made"]


async def test_what_was_saved_is_read_back(store: Store) -> None:
    saved = snapshot(5000.0, [agent("a", 3), agent("b", 2)])
    documents = [document("sites"), document("metrics.text", b"x 1\n" * 1000, open_ended=True)]
    number = await save(store, saved, documents, [])
    assert await newest_id(store) == number
    assert sorted(await load_documents(store, number), key=lambda one: one.key, reverse=True) == documents
    assert await last_snapshot(store) == saved


async def test_ids_grow_and_only_the_last_three_snapshots_stay(store: Store) -> None:
    numbers = [await save(store, snapshot(float(start)), [document()], []) for start in range(5)]
    assert numbers == sorted(set(numbers))
    assert (
        numbers[0] > (time.time() - 3600) * 1000
    )  # they begin at the time of making, so that they grow over a new store
    assert [len(await load_documents(store, number)) for number in numbers] == [0, 0, 1, 1, 1]


async def test_a_save_that_fails_leaves_everything_as_it_was(store: Store) -> None:
    first = await save(store, snapshot(1.0), [document()], [row(1.0)])
    with pytest.raises(StoreError):
        await save(store, snapshot(2.0), [document(), document()], [row(2.0, 9)])  # the same key twice
    with pytest.raises(StoreError):
        await save(store, snapshot(2.0), [document()], [row(2.0, 2**70)])  # no database takes that
    with pytest.raises(StoreError, match="cannot be stored"):
        await save(store, snapshot(2.0, [agent("\udcff")]), [document()], [])
    assert await newest_id(store) == first
    assert len(await load_documents(store, first)) == 1
    assert await past(store, "a", "T2_XX_A", 0) == [row(1.0)]


async def test_migrating_again_changes_nothing(store: Store) -> None:
    number = await save(store, snapshot(), [], [])
    before = await notes(store)
    await store.migrate()
    assert await newest_id(store) == number
    assert await notes(store) == before


async def test_two_migrations_at_once_make_one_store(url: str | URL, open_store: OpenStore) -> None:
    stores = [open_store(url) for _ in range(3)]
    await asyncio.gather(*(one.migrate() for one in stores))
    assert await kinds(stores[0]) == ["made"]
    await save(stores[0], snapshot(), [], [])
    assert await newest_id(stores[2]) is not None


async def test_a_newer_schema_is_refused(store: Store) -> None:
    async with store.transaction() as connection:
        statement = "INSERT INTO rcmon_version VALUES (99)" if store.shared else "PRAGMA user_version=99"
        await connection.exec_driver_sql(statement)
    with pytest.raises(StoreError, match=f"version 99, newer than the {len(revisions())}"):
        await store.migrate()


def with_later(folder: Path, *statements: str) -> Config:
    """Add revisions to those that are there, one for each statement."""
    config = scripts()
    own = Path(migrations.__file__).parent / "versions"
    config.set_main_option("version_locations", os.pathsep.join(map(str, (own, folder))))
    last = revisions()[-1]
    for number, statement in enumerate(statements):
        text = f"from alembic import op\nrevision, down_revision = 'later{number}', {last!r}\n"
        (folder / f"{number}.py").write_text(f"{text}def upgrade(): op.execute({statement!r})\n")
        last = f"later{number}"
    return config


async def test_an_upgrade_runs_only_the_revisions_that_are_missing_and_all_or_none(
    store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "later"
    folder.mkdir()
    config = with_later(folder, "CREATE TABLE later (x INT)")
    async with store.transaction() as connection:
        assert not await connection.run_sync(upgrade, 0.0, config)
    config = with_later(folder, "CREATE TABLE later (x INT)", "DROP TABLE later", "SELECT nonsense")
    with pytest.raises(StoreError, match="nonsense"):
        async with store.transaction() as connection:
            await connection.run_sync(upgrade, 0.0, config)
    async with store.reading() as connection:
        assert "later" in await connection.run_sync(lambda inner: inspect(inner).get_table_names())
    with pytest.raises(StoreError, match=f"version {len(revisions()) + 1}"):
        await store.migrate()


async def test_migrations_make_the_tables_that_the_statements_know(store: Store) -> None:
    async with store.reading() as connection:
        for table in METADATA.sorted_tables:
            columns = await connection.run_sync(
                lambda inner, name=table.name: inspect(inner).get_columns(name)
            )
            key = await connection.run_sync(
                lambda inner, name=table.name: inspect(inner).get_pk_constraint(name)
            )
            assert [column["name"] for column in columns] == table.columns.keys()
            assert key["constrained_columns"] == table.primary_key.columns.keys()
            for made, known in zip(columns, table.columns, strict=True):
                assert made["type"].python_type == known.type.python_type, (table.name, known.name)
                assert made["nullable"] == known.nullable or known.primary_key, (table.name, known.name)


async def test_a_damaged_document_is_never_served(store: Store) -> None:
    number = await save(store, snapshot(), [document()], [])
    async with store.transaction() as connection:
        await connection.execute(text("UPDATE document SET body = :zeros"), {"zeros": bytes(12)})
    with pytest.raises(StoreCorruptError, match="'sites'"):
        await load_documents(store, number)


async def test_a_damaged_snapshot_gives_way_to_the_one_before(store: Store) -> None:
    await save(store, snapshot(1.0), [], [])
    number = await save(store, snapshot(2.0), [], [])
    async with store.transaction() as connection:
        damage = text("UPDATE snapshot SET document = :zeros WHERE id = :number")
        await connection.execute(damage, {"zeros": bytes(90), "number": number})
    last = await last_snapshot(store)
    assert last is not None
    assert last.started == 1.0


async def test_operations_at_once_take_turns(store: Store) -> None:
    numbers = await asyncio.gather(*(save(store, snapshot(float(n)), [document()], []) for n in range(5)))
    assert len(set(numbers)) == 5
    assert await asyncio.gather(*(newest_id(store) for _ in range(10))) == [max(numbers)] * 10


@pytest.mark.parametrize("way", ["reading", "asking"])
async def test_a_reader_sees_one_moment_whatever_is_written_meanwhile(store: Store, way: str) -> None:
    await save(store, snapshot(1.0), [document()], [])
    counted = select(func.count()).select_from(SNAPSHOT)
    async with getattr(store, way)() as connection:
        before = (await connection.execute(counted)).scalar_one()
        await save(store, snapshot(2.0), [document()], [])
        assert (await connection.execute(counted)).scalar_one() == before == 1
    async with getattr(store, way)() as connection:
        assert (await connection.execute(counted)).scalar_one() == 2


async def test_a_cancelled_save_leaves_the_store_usable_and_whole(store: Store) -> None:
    number = await save(store, snapshot(1.0), [document()], [])
    large = [document(f"agents/{n}", os.urandom(200_000)) for n in range(20)]
    for turns in (1, 5, 20, 60, 200):
        saving = asyncio.ensure_future(save(store, snapshot(2.0), large, []))
        for _ in range(turns):
            await asyncio.sleep(0)
        saving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            number = await saving
        newest = await newest_id(store)
        assert newest is not None
        assert newest >= number
        assert len(await load_documents(store, newest)) in (1, 20)


@pytest.mark.alone
def test_close_leaves_no_thread_and_the_store_opens_again_on_another_loop(url: str | URL) -> None:
    before = threading.active_count()
    store = Store(url)

    async def use() -> int | None:
        await store.migrate()
        await asyncio.gather(*(newest_id(store) for _ in range(5)))
        number = await newest_id(store)
        await store.close()
        return number

    for _ in range(3):
        asyncio.run(use())
    deadline = time.monotonic() + 300
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_a_store_that_was_open_at_a_fork_says_so(url: str | URL) -> None:
    store = Store(url)

    async def use() -> None:
        await store.migrate()
        assert await newest_id(store) is None
        store._reading._process = os.getppid()  # as it looks in a child
        with pytest.raises(StoreError, match="close it before"):
            await newest_id(store)
        store._reading._process = os.getpid()
        await store.close()

    asyncio.run(use())


async def test_the_lease_has_one_holder(url: str | URL, open_store: OpenStore) -> None:
    first, second = open_store(url), open_store(url)
    await first.migrate()
    assert await acquire_lease(first, ONE, 60, 1000.0)
    assert not await acquire_lease(second, TWO, 60, 1059.0)
    assert await acquire_lease(first, ONE, 60, 1059.0)
    assert not await acquire_lease(second, TWO, 60, 1061.0)
    await release_lease(second, TWO)  # not its own
    assert not await acquire_lease(second, TWO, 60, 1062.0)
    await release_lease(first, ONE)
    assert await acquire_lease(second, TWO, 60, 1062.0)


async def test_a_lease_is_over_when_the_clock_was_set_back_or_forward(
    url: str | URL, open_store: OpenStore
) -> None:
    """Else nobody would collect for a day after the holder died."""
    first, second = open_store(url), open_store(url)
    await first.migrate()
    assert await acquire_lease(first, ONE, 60, 100_000.0)
    assert not await acquire_lease(second, TWO, 60, 99_999.0)  # it read the clock before it had its turn
    assert await acquire_lease(second, TWO, 60, 13_600.0)
    assert not await acquire_lease(first, ONE, 60, 13_601.0)
    assert await acquire_lease(first, ONE, 60, 100_000.0)


async def test_a_holder_that_slept_through_its_lease_cannot_write(
    url: str | URL, open_store: OpenStore
) -> None:
    first, second = open_store(url), open_store(url)
    await first.migrate()
    assert await acquire_lease(first, ONE, 60, 1000.0)
    await save(first, snapshot(1.0), [], [], ONE)
    assert await acquire_lease(second, TWO, 60, 2000.0)
    number = await save(second, snapshot(2.0), [], [], TWO)
    with pytest.raises(StoreBusyError, match="'one' went to 'two'"):
        await save(first, snapshot(3.0), [], [], ONE)
    assert await newest_id(first) == number


async def test_the_lease_goes_by_the_databases_clock_where_no_time_is_given(store: Store) -> None:
    assert await acquire_lease(store, ONE, 60)
    assert not await acquire_lease(store, TWO, 60, time.time() + 50)
    assert await acquire_lease(store, TWO, 60, time.time() + 70)


async def test_a_term_that_was_lost_does_not_come_back(url: str | URL, open_store: OpenStore) -> None:
    """What was concluded before another one had the lease is not written once that has given it back."""
    first, second = open_store(url), open_store(url)
    await first.migrate()
    assert await acquire_lease(first, ONE, 60, 1000.0)
    assert await acquire_lease(second, TWO, 60, 2000.0)
    await release_lease(second, TWO)
    assert await acquire_lease(first, new_term("one"), 60, 2001.0)
    with pytest.raises(StoreBusyError, match="'one' is over"):
        await save(first, snapshot(3.0), [], [], ONE)
    assert await newest_id(first) is None


async def test_a_replica_that_starts_again_does_not_wait_for_itself(
    url: str | URL, open_store: OpenStore
) -> None:
    store = open_store(url)
    await store.migrate()
    assert await acquire_lease(store, ONE, 60, 1000.0)
    other, again = new_term("one%"), new_term("one")
    assert not await acquire_lease(store, new_term("on"), 60, 1001.0, succeeds=True)
    assert not await acquire_lease(store, other, 60, 1001.0, succeeds=True)
    assert not await acquire_lease(store, again, 60, 1001.0)
    assert await acquire_lease(store, again, 60, 1001.0, succeeds=True)
    assert not await acquire_lease(store, ONE, 60, 1002.0)


async def test_notes_reach_other_processes_with_the_documents(url: str | URL, open_store: OpenStore) -> None:
    writer = open_store(url)
    await writer.migrate()
    reader = StoredSnapshots(open_store(url))
    number = await save(writer, snapshot(), [document()], [])
    assert reader.notes == ()
    assert await reader.load(number) is not None
    assert reader.notes == await notes(writer)


async def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(StoreError, match=r"needs asyncpg: pip install '\.\[postgres\]' in the clone"):
        await newest_id(Store("postgresql://rcmon@127.0.0.1/rcmon"))


async def test_a_large_agent_goes_through_the_store(store: Store) -> None:
    large = snapshot(1.0, [agent(f"agent{n}", 150) for n in range(2)])
    await save(store, large, [document()], [])
    assert await last_snapshot(store) == large
    assert unpack(pack(large)) == large


def test_the_files_of_revisions_are_named_as_alembic_knows_them() -> None:
    assert revisions() == revising.revisions(scripts())


def test_who_migrates_nothing_has_no_alembic() -> None:
    """It takes 10 MB, which every process would have from the one that forks it."""
    program = "import rcmon.cli, sys; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0

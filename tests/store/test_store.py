"""What holds of the store on either kind of database."""

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.engine import URL

from rcmon.errors import StoreBusyError, StoreCorruptError, StoreError
from rcmon.store import Store
from rcmon.store.codec import pack, unpack
from rcmon.store.migrations import STEPS, upgrade
from rcmon.store.tables import METADATA
from tests.store.made import agent, document, row, snapshot

OpenStore = Callable[[str | URL], Store]


async def test_a_new_store_is_empty_and_says_that_it_is_new(store: Store) -> None:
    assert await store.newest_id() is None
    assert await store.last_snapshot() is None
    assert await store.load_documents(1) == []
    assert [note.kind for note in store.notes] == ["made"]


async def test_what_was_saved_is_read_back(store: Store) -> None:
    saved = snapshot(5000.0, [agent("a", 3), agent("b", 2)])
    documents = [document("sites"), document("metrics.text", b"x 1\n" * 1000, open_ended=True)]
    number = await store.save(saved, documents, [])
    assert await store.newest_id() == number
    assert sorted(await store.load_documents(number), key=lambda one: one.key, reverse=True) == documents
    assert await store.last_snapshot() == saved


async def test_ids_grow_and_only_the_last_three_snapshots_stay(store: Store) -> None:
    numbers = [await store.save(snapshot(float(start)), [document()], []) for start in range(5)]
    assert numbers == sorted(set(numbers))
    assert (
        numbers[0] > (time.time() - 3600) * 1000
    )  # they begin at the time of making, so that they grow over a new store
    assert [len(await store.load_documents(number)) for number in numbers] == [0, 0, 1, 1, 1]


async def test_a_save_that_fails_leaves_everything_as_it_was(store: Store) -> None:
    first = await store.save(snapshot(1.0), [document()], [row(1.0)])
    with pytest.raises(StoreError):
        await store.save(snapshot(2.0), [document(), document()], [row(2.0, 9)])  # the same key twice
    with pytest.raises(StoreError):
        await store.save(snapshot(2.0), [document()], [row(2.0, 2**70)])
    with pytest.raises(StoreError, match="cannot be stored"):
        await store.save(snapshot(2.0, [agent("\udcff")]), [document()], [])
    assert await store.newest_id() == first
    assert len(await store.load_documents(first)) == 1
    assert await store.history("a", "T2_XX_A", 0) == [row(1.0)]


async def test_migrating_again_changes_nothing(store: Store) -> None:
    number = await store.save(snapshot(), [], [])
    notes = store.notes
    await store.migrate()
    assert await store.newest_id() == number
    assert store.notes == notes


async def test_two_migrations_at_once_make_one_store(url: str | URL, open_store: OpenStore) -> None:
    stores = [open_store(url) for _ in range(3)]
    await asyncio.gather(*(one.migrate() for one in stores))
    assert [note.kind for note in stores[0].notes] == ["made"]
    await stores[0].save(snapshot(), [], [])
    assert await stores[2].newest_id() is not None


async def test_a_newer_schema_is_refused(store: Store) -> None:
    async with store._transaction(writes=True) as connection:
        statement = "INSERT INTO rcmon_version VALUES (99)" if store.shared else "PRAGMA user_version=99"
        await connection.exec_driver_sql(statement)
    with pytest.raises(StoreError, match=f"version 99, newer than the {len(STEPS)}"):
        await store.migrate()


async def test_an_upgrade_runs_only_the_steps_that_are_missing_and_all_or_none(store: Store) -> None:
    async with store._transaction(writes=True) as connection:
        made = await connection.run_sync(
            upgrade, 0.0, (*STEPS, lambda inner: inner.execute(text("CREATE TABLE later (x INT)")))
        )
        assert not made
    with contextlib.suppress(ZeroDivisionError):
        async with store._transaction(writes=True) as connection:
            more = (
                *STEPS,
                lambda _: None,
                lambda inner: inner.execute(text("DROP TABLE later")),
                lambda _: 1 // 0,
            )
            await connection.run_sync(upgrade, 0.0, more)
    async with store._transaction() as connection:
        assert "later" in await connection.run_sync(lambda inner: inspect(inner).get_table_names())
    with pytest.raises(StoreError, match=f"version {len(STEPS) + 1}"):
        await store.migrate()


async def test_migrations_make_the_tables_that_the_statements_know(store: Store) -> None:
    async with store._transaction() as connection:
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
    number = await store.save(snapshot(), [document()], [])
    async with store._transaction(writes=True) as connection:
        await connection.execute(text("UPDATE document SET body = :zeros"), {"zeros": bytes(12)})
    with pytest.raises(StoreCorruptError, match="'sites'"):
        await store.load_documents(number)


async def test_a_damaged_snapshot_gives_way_to_the_one_before(store: Store) -> None:
    await store.save(snapshot(1.0), [], [])
    number = await store.save(snapshot(2.0), [], [])
    async with store._transaction(writes=True) as connection:
        damage = text("UPDATE snapshot SET document = :zeros WHERE id = :number")
        await connection.execute(damage, {"zeros": bytes(90), "number": number})
    last = await store.last_snapshot()
    assert last is not None
    assert last.started == 1.0


async def test_operations_at_once_take_turns(store: Store) -> None:
    numbers = await asyncio.gather(*(store.save(snapshot(float(n)), [document()], []) for n in range(5)))
    assert len(set(numbers)) == 5
    assert await asyncio.gather(*(store.newest_id() for _ in range(10))) == [max(numbers)] * 10


async def test_a_cancelled_save_leaves_the_store_usable_and_whole(store: Store) -> None:
    number = await store.save(snapshot(1.0), [document()], [])
    large = [document(f"agents/{n}", os.urandom(200_000)) for n in range(20)]
    for turns in (1, 5, 20, 60, 200):
        saving = asyncio.ensure_future(store.save(snapshot(2.0), large, []))
        for _ in range(turns):
            await asyncio.sleep(0)
        saving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            number = await saving
        newest = await store.newest_id()
        assert newest is not None
        assert newest >= number
        assert len(await store.load_documents(newest)) in (1, 20)


def test_close_leaves_no_thread_and_the_store_opens_again_on_another_loop(url: str | URL) -> None:
    before = threading.active_count()
    store = Store(url)

    async def use() -> int | None:
        await store.migrate()
        await asyncio.gather(*(store.newest_id() for _ in range(5)))
        number = await store.newest_id()
        await store.close()
        return number

    for _ in range(3):
        asyncio.run(use())
    deadline = time.monotonic() + 20
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


def test_a_store_that_was_open_at_a_fork_says_so(url: str | URL) -> None:
    store = Store(url)

    async def use() -> None:
        await store.migrate()
        store._process = os.getppid()  # as it looks in a child
        with pytest.raises(StoreError, match="close it before"):
            await store.newest_id()
        store._process = os.getpid()
        await store.close()

    asyncio.run(use())


async def test_the_lease_has_one_holder(url: str | URL, open_store: OpenStore) -> None:
    first, second = open_store(url), open_store(url)
    await first.migrate()
    assert await first.acquire_lease("one", 60, 1000.0)
    assert not await second.acquire_lease("two", 60, 1059.0)
    assert await first.acquire_lease("one", 60, 1059.0)
    assert not await second.acquire_lease("two", 60, 1061.0)
    await second.release_lease("two")  # not its own
    assert not await second.acquire_lease("two", 60, 1062.0)
    await first.release_lease("one")
    assert await second.acquire_lease("two", 60, 1062.0)


async def test_a_lease_is_over_when_the_clock_was_set_back_or_forward(
    url: str | URL, open_store: OpenStore
) -> None:
    """Else nobody would collect for a day after the holder died."""
    first, second = open_store(url), open_store(url)
    await first.migrate()
    assert await first.acquire_lease("one", 60, 100_000.0)
    assert not await second.acquire_lease("two", 60, 99_999.0)  # it read the clock before it had its turn
    assert await second.acquire_lease("two", 60, 13_600.0)
    assert not await first.acquire_lease("one", 60, 13_601.0)
    assert await first.acquire_lease("one", 60, 100_000.0)


async def test_a_holder_that_slept_through_its_lease_cannot_write(
    url: str | URL, open_store: OpenStore
) -> None:
    first, second = open_store(url), open_store(url)
    await first.migrate()
    assert await first.acquire_lease("one", 60, 1000.0)
    await first.save(snapshot(1.0), [], [])
    assert await second.acquire_lease("two", 60, 2000.0)
    number = await second.save(snapshot(2.0), [], [])
    with pytest.raises(StoreBusyError, match="'one' went to 'two'"):
        await first.save(snapshot(3.0), [], [])
    assert await first.newest_id() == number


async def test_the_lease_goes_by_the_databases_clock_where_no_time_is_given(store: Store) -> None:
    assert await store.acquire_lease("one", 60)
    assert not await store.acquire_lease("two", 60, time.time() + 50)
    assert await store.acquire_lease("two", 60, time.time() + 70)


async def test_notes_reach_other_processes_with_the_documents(url: str | URL, open_store: OpenStore) -> None:
    writer, reader = open_store(url), open_store(url)
    await writer.migrate()
    number = await writer.save(snapshot(), [document()], [])
    assert reader.notes == ()
    await reader.load_documents(number)
    assert reader.notes == writer.notes


async def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(StoreError, match=r"needs asyncpg: pip install '\.\[postgres\]' in the clone"):
        await Store("postgresql://rcmon@127.0.0.1/rcmon").newest_id()


async def test_a_large_agent_goes_through_the_store(store: Store) -> None:
    large = snapshot(1.0, [agent(f"agent{n}", 150) for n in range(2)])
    await store.save(large, [document()], [])
    assert await store.last_snapshot() == large
    assert unpack(pack(large)) == large

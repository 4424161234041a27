"""PostgreSQL: lost connections, servers out of reach, databases of others."""

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy.engine import URL

from rcmon.errors import StoreBusyError, StoreCorruptError, StoreError
from rcmon.model.journal import JournalEntry
from rcmon.store import Store
from rcmon.store.journal import add_entries, read_news
from tests.servers import free_port
from tests.store.made import document, snapshot
from tests.store.using import newest_id, save

OpenStore = Callable[[str | URL], Store]


@pytest.fixture
def url(new_database: Callable[[], URL]) -> URL:
    return new_database()


async def run(store: Store, *statements: str) -> None:
    async with store.transaction() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)


async def test_a_connection_that_the_server_cut_is_made_again(url: URL, open_store: OpenStore) -> None:
    store, other = open_store(url), open_store(url)
    await store.migrate()
    number = await save(store, snapshot(), [document()], [])
    async with other.reading() as connection:
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        await connection.exec_driver_sql(cut + " AND datname = current_database()")
    assert await newest_id(store) == number
    assert await save(store, snapshot(), [document()], []) > number


async def test_a_connection_that_is_cut_during_a_save_leaves_nothing_half(
    url: URL, open_store: OpenStore
) -> None:
    store = open_store(url)
    await store.migrate()
    number = await save(store, snapshot(), [document()], [])
    with pytest.raises(StoreError):
        await run(store, "DELETE FROM snapshot", "SELECT pg_terminate_backend(pg_backend_pid())")
    assert await newest_id(store) == number


async def test_a_server_out_of_reach_is_named_without_the_password(open_store: OpenStore) -> None:
    address = URL.create("postgresql", "rcmon", "secret", "127.0.0.1", free_port(), "rcmon")
    with pytest.raises(StoreError, match=r"rcmon:\*\*\*@127\.0\.0\.1") as caught:
        await newest_id(open_store(address))
    assert "secret" not in str(caught.value)


async def test_a_wrong_password_is_told_and_not_shown(url: URL, open_store: OpenStore) -> None:
    with pytest.raises(StoreError, match="password authentication failed") as caught:
        await open_store(url.set(password="wrong-one")).migrate()
    assert "wrong-one" not in str(caught.value)


async def test_a_database_that_is_not_migrated_says_so(url: URL, open_store: OpenStore) -> None:
    with pytest.raises(StoreCorruptError, match="snapshot"):
        await newest_id(open_store(url))


async def test_a_database_with_somebody_elses_tables_is_refused(url: URL, open_store: OpenStore) -> None:
    store = open_store(url)
    async with store.transaction() as connection:
        await connection.exec_driver_sql("CREATE TABLE history (x INT)")
    with pytest.raises(StoreError, match=r"not rcmon's \(history\)"):
        await store.migrate()
    async with store.reading() as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM history")).scalar_one() == 0


async def test_a_statement_that_waits_too_long_says_that_the_store_is_busy(
    url: URL, open_store: OpenStore
) -> None:
    store, other = open_store(url), open_store(url)
    await store.migrate()
    async with other.transaction() as blocking:
        await blocking.exec_driver_sql("LOCK TABLE snapshot")
        with pytest.raises(StoreBusyError):
            await run(store, "SET LOCAL statement_timeout = 50", "SELECT count(*) FROM snapshot")
    assert await newest_id(store) is None


async def test_entries_of_the_journal_become_visible_in_the_order_of_their_numbers(
    url: URL, open_store: OpenStore
) -> None:
    """Who reads behind the last number that was seen misses none."""
    store, other = open_store(url), open_store(url)
    await store.migrate()
    began, go_on = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with store.transaction() as connection:
            await add_entries(connection, [JournalEntry(1, "state", None, None)])
            began.set()
            await go_on.wait()

    async def second() -> None:
        await began.wait()
        async with other.adding() as connection:
            await add_entries(connection, [JournalEntry(2, "state", None, None)])

    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'journal'::regclass"
    async with asyncio.TaskGroup() as group:
        group.create_task(first())
        last = group.create_task(second())
        waits = 0
        while not (waits or last.done()):
            async with store.reading() as connection:
                waits = (await connection.exec_driver_sql(waiting)).scalar_one()
        async with store.reading() as connection:
            assert await connection.run_sync(read_news, 0, 10) == (0, ())
        go_on.set()
    async with store.reading() as connection:
        _, entries = await connection.run_sync(read_news, 0, 10)
        assert [one.entry.time for one in entries] == [1, 2]

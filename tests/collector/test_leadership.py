"""Who collects, of replicas on one PostgreSQL, and who finds out that another one does."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from sqlalchemy import text
from tornado.ioloop import IOLoop

from rcmon.collector.leadership import Leadership
from rcmon.errors import StoreBusyError, StoreError
from rcmon.store import Store
from tests.integration.replicas import url_of
from tests.integration.wire import wire
from tests.scripted import until
from tests.servers import Server, postgresql
from tests.store.using import release_lease

LONG = 3600.0
"""Seconds of a lease that does not end while a test runs."""
OLDER_TAKES = text(
    "UPDATE lease SET holder = :holder, expires = extract(epoch FROM clock_timestamp()) + :seconds"
    " WHERE name = 'collector' AND (holder = :holder OR expires <= extract(epoch FROM clock_timestamp())"
    " OR expires > extract(epoch FROM clock_timestamp()) + 2 * :seconds)"
)
"""How releases before terms took the lease, for three intervals, and took it longer."""
OLDER_HOLDS = text("SELECT holder FROM lease WHERE name = 'collector' FOR UPDATE")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgresql() as running:
        yield running


@pytest.fixture
def stores(server: Server, io_loop: IOLoop) -> Iterator[tuple[Store, Store]]:
    """Give a migrated store, opened twice, whose lease nobody has."""
    one, two = Store(url_of(server)), Store(url_of(server))
    io_loop.run_sync(one.migrate)
    io_loop.run_sync(lambda: expire(one))
    yield one, two
    io_loop.run_sync(one.close)
    io_loop.run_sync(two.close)


async def expire(store: Store) -> None:
    async with store.transaction() as connection:
        await connection.execute(text("UPDATE lease SET holder = '', expires = 0"))


async def older_takes(store: Store, holder: str, seconds: float) -> bool:
    async with store.transaction() as connection:
        taken = await connection.execute(OLDER_TAKES, {"holder": holder, "seconds": seconds})
        return taken.rowcount == 1


async def test_a_holder_that_was_held_up_past_its_lease_is_replaced_and_writes_nothing(
    stores: tuple[Store, Store],
) -> None:
    one, two = Leadership(stores[0], "one", 0.2), Leadership(stores[1], "two", LONG)
    assert await one.seek()
    time.sleep(0.3)  # noqa: ASYNC251 - nothing else runs meanwhile, as where the loop is held up
    assert not one.holds
    assert await two.seek()
    with pytest.raises(StoreBusyError, match="'one' went to 'two'"):
        async with one.writing():
            pytest.fail("it held the lease")
    assert not await one.renew()
    assert one.term is None
    assert await two.renew()


async def test_a_term_outlasts_connections_that_the_server_ends(stores: tuple[Store, Store]) -> None:
    """As it does at a quick restart of its own, or of a pooler."""
    store, other = stores
    leads = Leadership(store, "one", LONG)
    assert await leads.seek()
    before = leads.term
    async with other.transaction() as connection:
        ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        await connection.exec_driver_sql(f"{ending} AND datname = current_database()")
    assert await leads.renew()
    async with leads.writing():
        pass
    assert leads.term == before


async def test_a_term_lasts_while_it_is_written_in(stores: tuple[Store, Store]) -> None:
    """Its lease cannot be taken longer meanwhile: the transaction holds it in place."""
    leads, other = Leadership(stores[0], "one", 0.2), Leadership(stores[1], "two", 0.2)
    assert await leads.seek()
    async with leads.writing():
        time.sleep(0.3)  # noqa: ASYNC251 - longer than the lease
        assert not await other.seek()
        assert await leads.renew()
    assert await leads.renew()
    assert not await other.seek() or not await leads.renew()


async def test_who_is_cut_off_in_the_midst_of_a_write_finds_out_though_that_does_not_end(
    stores: tuple[Store, Store], server: Server
) -> None:
    with wire(server.port) as line:
        store = Store(url_of(server, line.port))
        leads = Leadership(store, "one", 0.5)
        assert await leads.seek()

        async def write() -> None:
            async with leads.writing():
                line.cut()
                await asyncio.Event().wait()

        writing = asyncio.create_task(write())
        await until(lambda: line.is_cut)
        while leads.holds:
            with suppress(StoreError):
                await leads.renew()
        writing.cancel()
        await asyncio.wait({writing})
        await store.close()
    other = Leadership(stores[1], "two", LONG)
    while not await other.seek():
        await asyncio.sleep(other.next_look)


async def test_a_release_before_terms_gives_way_and_does_not_write(stores: tuple[Store, Store]) -> None:
    """During a rolling upgrade: its lease of three intervals would last for minutes."""
    old, new = stores
    assert await older_takes(old, "old", 180.0)
    leads = Leadership(new, "new")
    assert await leads.seek()
    assert not await older_takes(old, "old", 180.0)
    async with old.transaction() as connection:
        assert (await connection.execute(OLDER_HOLDS)).scalar_one() != "old"
    assert await leads.resign()
    assert await older_takes(old, "old", 180.0)
    assert not await leads.renew()
    with pytest.raises(StoreBusyError):
        async with leads.writing():
            pytest.fail("it held the lease")


async def test_a_late_one_does_not_give_back_what_is_anothers(stores: tuple[Store, Store]) -> None:
    one, two = (Leadership(store, name, LONG) for store, name in zip(stores, ("one", "two"), strict=True))
    assert await one.seek()
    late = one.term
    assert late is not None
    await expire(stores[0])
    assert await two.seek()
    await release_lease(stores[0], late)
    assert await two.renew()
    assert not await one.seek()

"""The store behind PgBouncer in transaction mode: each transaction may get another server connection."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.engine import URL

from rcmon.errors import StoreBusyError
from rcmon.store import Store
from rcmon.store.lease import new_term
from rcmon.store.pruning import Ages, prune
from tests.servers import Server, pgbouncer
from tests.store.made import agent, document, row, snapshot
from tests.store.using import acquire_lease, kinds, last_snapshot, load_documents, newest_id, past, save

OpenStore = Callable[[str | URL], Store]
ONE, TWO = new_term("one"), new_term("two")


@pytest.fixture(scope="module", params=["", "default_pool_size = 2"], ids=["defaults", "few"])
def pooler(server: Server, request: pytest.FixtureRequest) -> Iterator[Server]:
    with pgbouncer(server, request.param) as running:
        yield running


@pytest.fixture
def url(new_database: Callable[[], URL], pooler: Server) -> URL:
    return new_database().set(port=pooler.port)


async def test_everything_a_store_does_works_behind_it(url: URL, open_store: OpenStore) -> None:
    store = open_store(url)
    await store.migrate()
    assert await acquire_lease(store, ONE, 60)
    made = snapshot(5000.0, [agent("a", 3)])
    number = await save(store, made, [document()], [row(10.0), row(20.0, 2)], ONE)
    await store.read_back(number)
    await prune(store, Ages(0, 0), 15.0)
    assert await last_snapshot(store) == made
    assert len(await load_documents(store, number)) == 1
    assert await past(store, "a", "T2_XX_A", 0) == [row(10.0), row(20.0, 2)]
    await store.migrate()
    assert await kinds(store) == ["made"]


async def test_statements_of_many_sessions_never_answer_each_other(url: URL, open_store: OpenStore) -> None:
    """Statements that are prepared by name fail here: `prepared statement "…" already exists`."""
    writer = open_store(url)
    await writer.migrate()
    readers = [open_store(url) for _ in range(6)]

    async def read(store: Store) -> None:
        for _ in range(40):
            found = await newest_id(store)
            if found is not None:
                await load_documents(store, found)
            await past(store, "a", "T2_XX_A", 0)

    async def write() -> None:
        for start in range(20):
            await save(writer, snapshot(float(start)), [document()], [row(float(start), start)])

    await asyncio.gather(write(), *(read(store) for store in readers))
    assert len(await past(writer, "a", "T2_XX_A", 0)) == 20


async def test_migrations_at_once_and_the_lease_need_no_session(url: URL, open_store: OpenStore) -> None:
    stores = [open_store(url) for _ in range(3)]
    await asyncio.gather(*(store.migrate() for store in stores))
    assert await kinds(stores[0]) == ["made"]
    assert await acquire_lease(stores[0], ONE, 60)
    assert not await acquire_lease(stores[1], TWO, 60)
    with pytest.raises(StoreBusyError, match="'two' went to 'one'"):
        await save(stores[1], snapshot(), [], [], TWO)

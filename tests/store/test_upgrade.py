"""A store that the last release wrote is upgraded with its history; one of a later release is refused."""

import gzip
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.engine import URL, make_url

from rcmon.documents import keys
from rcmon.errors import StoreError
from rcmon.render import render
from rcmon.store import Store, snapshots
from rcmon.store.migrations import revisions
from tests.servers import need
from tests.store.made import agent, agent_site, row, snapshot
from tests.store.using import kinds, last_snapshot, load_documents, newest_id, past, save

OpenStore = Callable[[str | URL], Store]
DATA = Path(__file__).parent / "data"
"""Both were written by rcmon before it had Alembic: four snapshots, and what changed at two sites."""


@pytest.fixture
def old(url: str | URL) -> str | URL:
    """Put a store of version 1 where the test's store is to be."""
    parsed = make_url(url)
    if parsed.drivername == "sqlite":
        Path(str(parsed.database)).write_bytes(gzip.decompress((DATA / "version1.sqlite.gz").read_bytes()))
        return url
    script = gzip.decompress((DATA / "version1.postgresql.sql.gz").read_bytes())
    command = [need("psql"), "-qX", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(parsed.port)]
    command += ["-U", str(parsed.username), str(parsed.database)]
    subprocess.run(
        command, input=script, env={"PGPASSWORD": str(parsed.password)}, check=True, stdout=subprocess.DEVNULL
    )
    return url


async def test_a_store_of_the_last_release_is_upgraded_with_its_history(
    old: str | URL, open_store: OpenStore
) -> None:
    store = open_store(old)
    await store.migrate()
    assert await kinds(store) == ["made"]  # nothing was set aside
    states = [(row.time - 1.7e9, row.state) for row in await past(store, "old", "T1_XX_A", 0)]
    assert states == [(0, "Normal"), (60, "Down"), (120, "Normal"), (180, "Draining")]
    last = await last_snapshot(store)
    assert last is not None
    assert last.started == 1.7e9 + 180
    assert last.sites["T1_XX_A"].state == "Draining"
    number = await newest_id(store)
    assert number is not None
    async with store.reading() as connection:
        loaded = await connection.run_sync(snapshots.load, number)
    assert loaded is not None
    assert loaded.format == 1
    assert {keys.SITES, keys.FACTS, "quality"} <= {one.key for one in loaded.documents}
    # and it goes on
    assert await save(store, snapshot(1.8e9), [], [row(1.8e9, 9, "T1_XX_A", "old")]) > number
    assert len(await past(store, "old", "T1_XX_A", 0)) == 5
    await store.close()
    await store.migrate()
    assert len(await past(store, "old", "T1_XX_A", 0)) == 5


async def test_an_older_collector_goes_on_writing_to_an_upgraded_store(
    old: str | URL, open_store: OpenStore
) -> None:
    """During an update of replicas: its statements name the columns that it knows."""
    store = open_store(old)
    await store.migrate()
    async with store.transaction() as connection:
        columns = "started, finished, document"
        await connection.exec_driver_sql(f"INSERT INTO snapshot ({columns}) SELECT {columns} FROM snapshot")
    number = await newest_id(store)
    assert number is not None
    async with store.reading() as connection:
        loaded = await connection.run_sync(snapshots.load, number)
    assert loaded is not None
    assert loaded.format == 1


async def test_the_last_release_refuses_an_upgraded_store_by_the_number_that_it_reads(
    old: str | URL, open_store: OpenStore
) -> None:
    store = open_store(old)
    await store.migrate()
    where = "SELECT max(version) FROM rcmon_version" if store.shared else "PRAGMA user_version"
    async with store.reading() as connection:
        assert (await connection.exec_driver_sql(where)).scalar_one() == len(revisions()) > 1


async def test_a_store_of_a_later_release_is_refused_with_one_line(
    old: str | URL, open_store: OpenStore
) -> None:
    store = open_store(old)
    await store.migrate()
    later = "INSERT INTO rcmon_version VALUES (99)" if store.shared else "PRAGMA user_version=99"
    async with store.transaction() as connection:
        await connection.exec_driver_sql(later)
    newer = f"version 99, newer than the {len(revisions())} .*: upgrade rcmon"
    for damage in (None, "something"):  # not even a store that is to be mended is taken from a later release
        with pytest.raises(StoreError, match=newer) as caught:
            await store.migrate(damage)
        assert "\n" not in str(caught.value)
    assert await newest_id(store) is not None


async def test_an_upgrade_of_a_store_that_lost_a_table_mends_it(
    old: str | URL, open_store: OpenStore
) -> None:
    store = open_store(old)
    async with store.transaction() as connection:
        await connection.exec_driver_sql("DROP TABLE history")
    await store.migrate()
    assert "set_aside" in await kinds(store)
    await save(store, snapshot(), [], [row(1.0)])
    assert await past(store, "a", "T2_XX_A", 0) == [row(1.0)]


async def test_documents_of_now_are_marked_with_the_format_of_now(store: Store) -> None:
    made = snapshot(1.0, [agent("a", [agent_site("T2_X")])])
    number = await save(store, made, render(made), [])
    async with store.reading() as connection:
        loaded = await connection.run_sync(snapshots.load, number)
    assert loaded is not None
    assert loaded.format == keys.FORMAT
    assert await load_documents(store, number)

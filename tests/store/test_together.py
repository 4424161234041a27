"""Where SQLite's log or its index is taken away, all connections of a process end before one begins anew.

Another process writes meanwhile, as the collector does beside a worker: what it writes must be seen.
"""

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from rcmon.errors import StoreBusyError, StoreCorruptError, StoreError
from rcmon.store import Store
from rcmon.store.address import Files
from rcmon.store.open_files import OpenFiles
from tests.store.using import newest_id

COUNT = "SELECT count(*) FROM note"
WRITER = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for number in range(5):
    connection.execute("INSERT INTO note (time, kind, text) VALUES (0, 'made', 'x')")
print(connection.execute("SELECT count(*) FROM note").fetchone()[0])
os._exit(0)  # as one that stays: the last one to end would bring its log into the file
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "rcmon.sqlite"


@pytest.fixture
def store(path: Path, open_store: Callable[[str | URL], Store]) -> Store:
    return open_store(f"sqlite:///{path}")


def count(connection: Connection) -> int:
    return int(connection.execute(text(COUNT)).scalar_one())


async def written_elsewhere(path: Path) -> int:
    """Let another process write; gives how many notes it sees."""
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", WRITER, str(path)], capture_output=True, check=True
    )
    return int(done.stdout)


async def by_reading(store: Store) -> int:
    async with store.reading() as connection:
        return await connection.run_sync(count)


async def by_looking(store: Store) -> int:
    return await store.look(count)


async def by_asking(store: Store) -> int:
    async with store.asking() as connection:
        return await connection.run_sync(count)


async def by_asking_as_a_whole(store: Store) -> int:
    return await store.ask(count)


async def by_adding(store: Store) -> int:
    async with store.adding() as connection:
        return await connection.run_sync(count)


async def by_exchanging(store: Store) -> int:
    async with store.exchanging() as connection:
        return await connection.run_sync(count)


async def by_writing(store: Store) -> int:
    async with store.transaction() as connection:
        return await connection.run_sync(count)


Way = Callable[[Store], Awaitable[int]]
WAYS: tuple[Way, ...] = (
    by_reading,
    by_looking,
    by_asking,
    by_asking_as_a_whole,
    by_adding,
    by_exchanging,
    by_writing,
)


async def told(store: Store, way: Way) -> StoreError:
    """Use a lane that must tell trouble; gives that."""
    with pytest.raises(StoreError) as caught:
        await way(store)
    return caught.value


def gone(path: Path) -> list[str]:
    """Name the files of the store that this process has open and that are not there any more."""
    held = []
    for file in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # it is closed by now
            name = str(file.readlink())
            if name.startswith(str(path)) and name.endswith(" (deleted)"):
                held.append(name)
    return held


def part(path: Path, end: str) -> Path:
    return path.with_name(path.name + end)


async def all_go_on(store: Store, path: Path) -> None:
    """Hold that every way sees what another process writes, and that nothing is open that is gone."""
    there = await written_elsewhere(path)
    assert [await way(store) for way in WAYS] == [there] * len(WAYS)
    assert gone(path) == []


@pytest.mark.parametrize("first", WAYS)
@pytest.mark.parametrize("end", ["-shm", "-wal"])
async def test_whichever_lane_meets_it_first_all_go_on_from_what_is_there(
    store: Store, path: Path, first: Way, end: str
) -> None:
    await store.migrate()
    for way in WAYS:
        await way(store)
    part(path, end).unlink()
    error = await told(store, first)
    assert isinstance(error, StoreCorruptError)
    assert "was taken away" in str(error)
    assert gone(path) == []
    if first is not by_writing:  # who saves is told in any case
        assert isinstance(await told(store, by_writing), StoreCorruptError)
    await all_go_on(store, path)


async def test_it_is_noticed_where_another_process_has_made_the_index_anew(store: Store, path: Path) -> None:
    await store.migrate()
    for way in WAYS:
        await way(store)
    part(path, "-shm").unlink()
    await written_elsewhere(path)
    assert "was taken away" in str(await told(store, by_looking))
    assert gone(path) == []


@pytest.mark.parametrize("end", ["-shm", "-wal"])
async def test_nobody_goes_on_while_a_long_question_holds_what_is_gone(
    store: Store, path: Path, end: str
) -> None:
    """Nor does anybody wait for it."""
    await store.migrate()
    for way in WAYS:
        await way(store)
    begun, over = threading.Event(), threading.Event()

    def long(connection: Connection) -> int:
        found = count(connection)
        begun.set()
        over.wait()
        return found

    question = asyncio.create_task(store.ask(long))
    try:
        await asyncio.to_thread(begun.wait)
        part(path, end).unlink()
        for way in WAYS:
            error = await told(store, way)
            assert isinstance(error, StoreBusyError)
            assert "somebody here still uses it" in str(error)
    finally:
        over.set()
    await question
    assert isinstance(await told(store, by_looking), StoreCorruptError)
    assert isinstance(await told(store, by_writing), StoreCorruptError)
    await all_go_on(store, path)


async def test_a_cancelled_question_that_goes_on_is_waited_for(store: Store, path: Path) -> None:
    """Its thread has the connection until it ends."""
    await store.migrate()
    begun, over = threading.Event(), threading.Event()

    def long(connection: Connection) -> int:
        found = count(connection)
        begun.set()
        over.wait()
        return found

    await by_looking(store)
    question = asyncio.create_task(store.ask(long))
    try:
        await asyncio.to_thread(begun.wait)
        question.cancel()
        with pytest.raises(asyncio.CancelledError):
            await question
        part(path, "-shm").unlink()
        looking = asyncio.create_task(told(store, by_looking))
        await asyncio.sleep(0)
    finally:
        over.set()
    assert "was taken away" in str(await looking)
    there = await written_elsewhere(path)
    assert await by_looking(store) == there
    assert gone(path) == []


async def test_another_store_of_the_process_is_waited_for_too(
    store: Store, path: Path, open_store: Callable[[str | URL], Store]
) -> None:
    await store.migrate()
    other = open_store(f"sqlite:///{path}")
    await by_looking(other)
    await by_looking(store)
    part(path, "-shm").unlink()
    for _ in range(2):
        assert isinstance(await told(store, by_looking), StoreBusyError)
    assert isinstance(await told(other, by_looking), StoreCorruptError)
    there = await written_elsewhere(path)
    assert await by_looking(store) == await by_looking(other) == there


async def test_a_log_that_went_with_its_last_connection_was_not_taken_away(store: Store, path: Path) -> None:
    """SQLite removes it then; questions have connections that end with them."""
    await store.migrate()
    await store.close()
    async with store.asking() as connection:
        await connection.run_sync(count)
        await by_asking(store)  # ends while the first one is open
    assert not part(path, "-wal").exists()
    assert await by_asking(store) == 1


async def test_a_store_behind_a_link_is_followed_like_any(
    store: Store, path: Path, open_store: Callable[[str | URL], Store]
) -> None:
    await store.migrate()
    link = path.parent.parent / "link"
    link.symlink_to(path)
    await store.close()
    linked = open_store(f"sqlite:///{link}")
    for _ in range(2):
        assert [await by_looking(linked), await by_adding(linked)] == [1, 1]
    part(path, "-shm").unlink()
    assert isinstance(await told(linked, by_looking), StoreCorruptError)
    assert await by_looking(linked) == 1


async def test_damage_that_a_reader_meets_is_logged_until_it_was_looked_at(
    store: Store, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await store.migrate()

    def malformed(_: Connection) -> None:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorname = "SQLITE_CORRUPT"
        raise error

    for again in (1, 2):
        for _ in range(3):
            with pytest.raises(StoreCorruptError):
                await store.ask(malformed)
        assert caplog.text.count("the store looks damaged") == again
        assert caplog.text.count("malformed") == again
        await store.read_back()  # what saves looks at the whole file, and finds it sound
        assert part(path, "-suspected").exists() is False


async def test_a_log_that_somebody_just_lets_go_is_not_lost(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The double causes what else takes luck: a look between the end of a file's name and that of its use."""
    seen, look = iter(["the log of the store {} was taken away"]), OpenFiles.lost
    await store.migrate()
    monkeypatch.setattr(OpenFiles, "lost", lambda self: next(seen, None) or look(self))
    assert await newest_id(store) is None


async def test_a_number_that_is_given_anew_is_no_file_of_before(store: Store) -> None:
    """The index may have the number that a log had which ended, and the log that of an index."""
    await store.migrate()
    files = OpenFiles(store.address)
    now = store.address.files()
    files._known = Files(now.store, log=now.index, index=now.log)
    assert files.lost() is None
    assert files._known == now

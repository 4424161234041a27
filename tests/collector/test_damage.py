"""Whatever becomes of the store's file under a collector and a worker: right again within three cycles."""

import contextlib
import math
import os
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from rcmon.errors import StoreError
from rcmon.model import Document, HistoryRow
from rcmon.render import render
from rcmon.store import Store, engine, readback
from rcmon.store.reader import StoredSnapshots
from rcmon.web.board import Board
from tests.collector.test_collector import Lab, NewLab, expire_lease, new_lab, server_url
from tests.store.made import agent, agent_site
from tests.store.using import kinds, notes, past

__all__ = ["new_lab", "server_url"]
SITES = [agent_site(f"T2_XX_Site{number:04}", seed=number) for number in range(150)]


@pytest.fixture(autouse=True)
def whole_file_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cycles follow at once here: in the service there is time between them to read the whole file."""
    monkeypatch.setattr(readback, "SHARE", math.inf)


class House:
    """A collector and a worker on one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lab = Lab(f"sqlite:///{path}")
        self.lab.collector._render = self.render
        self.reader = Store(f"sqlite:///{path}")
        self.board = Board(StoredSnapshots(self.reader))
        self.at = 1000.0

    @staticmethod
    def render(snapshot: object, _: object) -> list[Document]:
        return render(snapshot)  # type: ignore[arg-type]

    async def cycle(self, *, news: bool = True) -> bool:
        """Run a cycle, with something new at every site or none; tells whether the worker has it."""
        self.at += 60.0
        if news:
            changed = [agent_site(site.name, "Normal", seed=int(self.at) + n) for n, site in enumerate(SITES)]
            self.lab.source.script = [agent("a", changed)]
        await self.lab.collector.step(self.at)
        await self.board.check()
        held = self.board.current
        return self.board.trouble is None and held is not None and held.facts.started == self.at

    async def history(self) -> list[HistoryRow]:
        return await past(self.reader, "a", SITES[0].name, 0)


@asynccontextmanager
async def running(path: Path) -> AsyncIterator[House]:
    """Run until some snapshots are there."""
    house = House(path)
    await house.lab.store.migrate()
    for _ in range(4):
        assert await house.cycle()
    try:
        yield house
    finally:
        await house.reader.close()
        await house.lab.store.close()


def log(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def checkpointed(path: Path) -> None:
    """Bring all that the log holds into the file: else it would hide what is done to that."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def cut(path: Path) -> None:
    checkpointed(path)
    os.truncate(path, path.stat().st_size // 8192 * 4096)


def cut_to_nothing(path: Path) -> None:
    checkpointed(path)
    os.truncate(path, 0)


def zeros_in_the_middle(path: Path) -> None:
    checkpointed(path)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 12288 * 4096)
        file.write(bytes(path.stat().st_size // 3))


def garbage(path: Path) -> None:
    checkpointed(path)
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))


def no_header(path: Path) -> None:
    checkpointed(path)
    with path.open("r+b") as file:
        file.write(os.urandom(100))


def garbage_in_notes(path: Path) -> None:
    garbage_in("note", path)


def garbage_in_history(path: Path) -> None:
    garbage_in("history", path)


def garbage_in(table: str, path: Path) -> None:
    checkpointed(path)
    with closing(sqlite3.connect(path)) as connection:
        page = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(os.urandom(4096))


def table_dropped(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE note")


def history_dropped(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE history")


def deleted(path: Path) -> None:
    path.unlink()


def all_deleted(path: Path) -> None:
    for part in path.parent.iterdir():
        part.unlink()


def log_deleted(path: Path) -> None:
    log(path).unlink()


def index_deleted(path: Path) -> None:
    path.with_name(path.name + "-shm").unlink()


def another_database(path: Path) -> None:
    other = path.with_name("other")
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    checkpointed(path)
    other.rename(path)


def overwritten_by_another_database(path: Path) -> None:
    other = path.with_name("other")
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    checkpointed(path)
    path.write_bytes(other.read_bytes())


def folder_removed(path: Path) -> None:
    shutil.rmtree(path.parent)


def folder_removed_and_back(path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.mkdir()


DAMAGES = [
    cut,
    cut_to_nothing,
    zeros_in_the_middle,
    garbage,
    no_header,
    garbage_in_notes,
    garbage_in_history,
    table_dropped,
    history_dropped,
    deleted,
    all_deleted,
    log_deleted,
    index_deleted,
    another_database,
    overwritten_by_another_database,
    folder_removed,
    folder_removed_and_back,
]


NOTHING_LEFT = (deleted, all_deleted, cut_to_nothing, folder_removed, folder_removed_and_back)
NOTHING_LOST = (log_deleted, index_deleted)
"""All connections here end before one begins anew: the last one brings into the file what its log holds."""


@pytest.mark.parametrize("news", [True, False], ids=["news", "nothing new"])
@pytest.mark.parametrize("damage", DAMAGES)
async def test_damage_at_any_time_is_mended_within_three_cycles_and_told(
    tmp_path: Path,
    damage: Callable[[Path], None],
    news: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where nothing is new, little is written: damage elsewhere shows only when the file is read back."""
    async with running(tmp_path / "state" / "rcmon.sqlite") as house:
        before = await house.history()
        damage(house.path)
        assert any([await house.cycle(news=news) for _ in range(3)])
        assert await house.cycle(news=news)
        assert house.lab.publisher.trouble is None
        assert "store" not in house.lab.troubles
        assert len(await house.history()) >= 1
        found = await kinds(house.lab.store)
        assert found[-1] == "made"
        if "set_aside" in found:
            assert house.lab.mended == 1
            assert list(house.path.parent.glob("*.damaged-*"))
            assert "set aside as" in house.lab.troubles["store_set_aside"]
            assert house.board.trouble is None
            assert "set aside as" in caplog.text
        elif damage in NOTHING_LOST:
            assert (await house.history())[: len(before)] == before
        else:  # there was nothing left that could be set aside, and that is told as well
            assert damage in NOTHING_LEFT
        assert "the store fails" in caplog.text
        assert caplog.text.count("Traceback") == 0
        assert [note.kind for note in house.board.notes] == found
        await house.lab.store.read_back()


async def test_a_reader_that_meets_damage_has_the_whole_file_looked_at(tmp_path: Path) -> None:
    """The file is so large that the collector reads it only now and then."""
    async with running(tmp_path / "rcmon.sqlite") as house:
        readback = house.lab.store._readback
        assert readback is not None
        readback._next_whole = float("inf")
        garbage_in_history(house.path)
        with pytest.raises(StoreError):
            await house.history()
        assert any([await house.cycle() for _ in range(3)])
        assert house.lab.mended == 1
        assert await house.history()


async def test_a_full_disk_is_told_and_passes_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path / "rcmon.sqlite") as house:
        await house.lab.store.close()
        with monkeypatch.context() as full:
            full.setattr(engine, "PRAGMAS", (*engine.PRAGMAS, "max_page_count=1"))
            assert not await house.cycle()
            assert "full" in house.lab.troubles["store"]
            assert house.board.trouble is None  # the last snapshot can be read
            await house.lab.store.close()
        assert await house.cycle()
        assert "store" not in house.lab.troubles
        assert house.lab.mended == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a small file system, which only root may."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_disk_that_is_really_full_is_told_and_passes_by_itself(small_disk: Path) -> None:
    async with running(small_disk / "rcmon.sqlite") as house:
        filler = small_disk / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(1024))
        while await house.cycle():  # the log has some room of its own
            pass
        assert "store" in house.lab.troubles
        assert not await house.cycle()
        assert house.board.current is not None  # the last snapshot is still served
        filler.unlink()
        assert any([await house.cycle() for _ in range(3)])
        assert "store" not in house.lab.troubles


def mounted_again(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


async def test_a_disk_that_becomes_read_only_is_told_and_nothing_is_set_aside(small_disk: Path) -> None:
    async with running(small_disk / "rcmon.sqlite") as house:
        await house.lab.store.close()  # while a file is open for writing, nobody but the kernel can do this
        await house.reader.close()
        mounted_again(small_disk, "ro")
        try:
            for _ in range(3):
                assert not await house.cycle()
            assert "store" in house.lab.troubles
            assert house.board.current is not None  # the last snapshot is still served
        finally:
            mounted_again(small_disk, "rw")
        assert any([await house.cycle() for _ in range(3)])
        assert "store" not in house.lab.troubles
        assert house.board.trouble is None
        assert house.lab.mended == 0
        assert await kinds(house.lab.store) == ["made"]


@pytest.mark.parametrize("table", ["note", "document", "snapshot", "history", "series", "lease", "about"])
async def test_a_lost_table_of_postgresql_is_made_again(
    server_url: URL,
    new_lab: NewLab,
    table: str,
) -> None:
    lab = new_lab(server_url)
    await lab.store.migrate()
    await expire_lease(lab.store)
    assert await lab.collector.step(1000.0) is not None
    async with lab.store.transaction() as connection:
        await connection.exec_driver_sql(f"DROP TABLE {table} CASCADE")
    for start in (1060.0, 1120.0, 1180.0):
        await lab.collector.step(start)
    assert lab.publisher.trouble is None
    assert lab.mended == 1
    last = await lab.last()
    assert last is not None
    assert last.started == 1180.0
    assert any(f"the table {table}" in note.text for note in await notes(lab.store))

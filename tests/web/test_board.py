"""The board: one reference to the newest snapshot, kept when the store is in trouble."""

import asyncio
from pathlib import Path

import pytest
from msgspec import structs

from rcmon.documents import keys
from rcmon.errors import StoreError
from rcmon.model import Document
from rcmon.process.looks import Looks
from rcmon.render import render
from rcmon.store import Store
from rcmon.store.reader import StoredSnapshots
from rcmon.store.snapshots import StoredDocuments
from rcmon.web.answers.problems import Problem
from rcmon.web.board import Board, Held
from tests.store.using import save
from tests.web.grid import SITES, make_snapshot


async def stored(path: Path) -> Store:
    store = Store(f"sqlite:///{path}")
    await store.migrate()
    return store


class Failing:
    """A store that fails when it is told to."""

    def __init__(self, loaded: list[Document]) -> None:
        self.loaded, self.number, self.error = loaded, 1, ""
        self.format = keys.FORMAT
        self.asked = asyncio.Event()

    async def newest_id(self) -> int | None:
        if self.error:
            raise StoreError(self.error)
        return self.number

    async def load(self, number: int) -> StoredDocuments | None:
        self.asked.set()
        return StoredDocuments(number, self.format, self.loaded)


@pytest.fixture(scope="module")
def rendered() -> list[Document]:
    return render(make_snapshot())


async def test_it_takes_each_newer_snapshot_once(tmp_path: Path) -> None:
    store = await stored(tmp_path / "rcmon.sqlite")
    board = Board(StoredSnapshots(store))
    assert await board.check() is False
    assert board.current is None
    first, second = make_snapshot(seed=1), make_snapshot(seed=2)
    await save(store, first, render(first), [])
    assert await board.check() is True
    held = board.current
    assert held is not None
    assert await board.check() is False
    assert board.current is held
    await save(store, second, render(second), [])
    assert await board.check() is True
    assert board.current is not None
    assert board.current.number > held.number
    assert board.trouble is None
    await store.close()


async def test_the_last_snapshot_stays_when_the_store_fails_and_it_says_so(
    rendered: list[Document], caplog: pytest.LogCaptureFixture
) -> None:
    store = Failing(rendered)
    board = Board(store)
    await board.check()
    held = board.current
    store.error = "disk is gone"
    for _ in range(3):
        assert await board.check() is False
    assert board.current is held
    assert board.trouble == "disk is gone"
    assert [record.message for record in caplog.records if "disk is gone" in record.message] != []
    assert len(caplog.records) == 1  # once, not at every check
    store.error = ""
    assert await board.check() is False
    assert board.trouble is None


async def test_a_snapshot_without_facts_is_not_taken_any_other_is(rendered: list[Document]) -> None:
    store = Failing(rendered)
    board = Board(store)
    await board.check()
    held = board.current
    store.number, store.loaded = 2, [document for document in rendered if document.key != keys.FACTS]
    assert await board.check() is False
    assert board.current is held
    assert keys.FACTS in str(board.trouble)
    store.number, store.loaded = 3, [document for document in rendered if document.key == keys.FACTS]
    assert await board.check() is True
    assert board.trouble is None


async def test_facts_of_a_format_that_is_not_known_are_not_taken(rendered: list[Document]) -> None:
    store = Failing(rendered)
    store.format = max(keys.READABLE) + 1
    board = Board(store)
    assert await board.check() is False
    assert "another version" in str(board.trouble)


async def test_damaged_facts_are_not_taken(rendered: list[Document]) -> None:
    damaged = [
        structs.replace(document, crc32=document.crc32 ^ 1) if document.key == keys.FACTS else document
        for document in rendered
    ]
    board = Board(Failing(damaged))
    assert await board.check() is False
    assert board.current is None
    assert "damaged" in str(board.trouble)


async def test_sites_are_decoded_when_they_are_first_asked_for(rendered: list[Document]) -> None:
    held = Held(StoredDocuments(1, keys.FORMAT, rendered))
    sites = await held.sites()
    assert list(sites) == sorted(SITES)
    assert await held.sites() is sites


async def test_watching_takes_what_comes(rendered: list[Document]) -> None:
    store = Failing(rendered)
    board = Board(store)
    task = asyncio.ensure_future(board.watch(Looks(lambda *_: None), 0.001))
    await store.asked.wait()
    await asyncio.sleep(0)
    assert board.current is not None
    store.asked.clear()
    store.number = 2
    await store.asked.wait()
    await asyncio.sleep(0)
    assert board.current.number == 2
    task.cancel()


async def test_documents_for_this_side_alone_are_no_answers(rendered: list[Document]) -> None:
    held = Held(StoredDocuments(1, keys.FORMAT, rendered))
    for key in (keys.FACTS, keys.SITES_INDEX, keys.DRIFT, keys.EXPECTED):
        assert held.document(key)
        with pytest.raises(Problem, match="503"):
            held.ready(key)

"""A real application over real mutual TLS, with a real store behind it."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete
from tornado.ioloop import IOLoop

from rcmon.render import render
from rcmon.store import Store
from rcmon.store.overrides import make_change
from rcmon.store.tables import JOURNAL
from rcmon.web.answers import cached
from rcmon.web.app import TABLE
from tests.store.using import save
from tests.web.grid import OVERRIDDEN, make_snapshot
from tests.web.serving import PROCESSES, Serving


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an empty store and one with a snapshot, once: tests work on copies."""
    directory = tmp_path_factory.mktemp("stores")
    asyncio.run(_fill(directory))
    return directory


async def _fill(directory: Path) -> None:
    store = Store(f"sqlite:///{directory / 'empty'}")
    await store.migrate()
    await store.close()
    shutil.copy(directory / "empty", directory / "full")
    store = Store(f"sqlite:///{directory / 'full'}")
    snapshot = make_snapshot()
    await save(store, snapshot, render(snapshot), [])
    async with store.adding() as connection:
        await make_change(connection, OVERRIDDEN)
        await connection.execute(delete(JOURNAL))  # tests of the journal make their own
    await store.close()


def _service(io_loop: IOLoop, made: Path, copy: Path) -> Iterator[Serving]:
    shutil.copy(made, copy)

    async def begin() -> Serving:
        store = Store(f"sqlite:///{copy}")
        service = Serving(table=TABLE, store=store, processes=PROCESSES)
        await service.board.check()
        return service

    service = io_loop.run_sync(begin)
    yield service
    io_loop.run_sync(service.end)


@pytest.fixture
def empty_service(io_loop: IOLoop, stores: Path, tmp_path: Path) -> Iterator[Serving]:
    """A worker before the first snapshot."""
    yield from _service(io_loop, stores / "empty", tmp_path / "rcmon.sqlite")


@pytest.fixture
def answers_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made anew every tenth of a second stays for the test, which compares answers."""
    monkeypatch.setattr(cached, "SHORT_WHILE", 3600.0)


@pytest.fixture
def service(io_loop: IOLoop, stores: Path, tmp_path: Path) -> Iterator[Serving]:
    """A worker that holds the grid's snapshot."""
    yield from _service(io_loop, stores / "full", tmp_path / "rcmon.sqlite")

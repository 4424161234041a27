"""Stores for tests: the same tests run on SQLite and on a private PostgreSQL."""

import itertools
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import URL
from tornado.ioloop import IOLoop

from rcmon.store import Store
from tests.servers import Server, need, postgresql

NewStore = Callable[[], Store]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with postgresql() as running:
        yield running


@pytest.fixture(scope="session")
def new_database(server: Server) -> Callable[[], URL]:
    """Make an empty PostgreSQL database at each call."""
    numbers = itertools.count(1)
    tool = need("createdb", *(str(path) for path in Path("/usr/lib/postgresql").glob("*/bin")))

    def make() -> URL:
        name = f"store{next(numbers)}"
        command = [tool, "-h", "127.0.0.1", "-p", str(server.port), "-U", server.user, name]
        subprocess.run(command, check=True, env={"PGPASSWORD": server.password})
        return URL.create("postgresql", server.user, server.password, "127.0.0.1", server.port, name)

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str | URL:
    """Name an empty place for a store, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/rcmon.sqlite"
    made: URL = request.getfixturevalue("new_database")()
    return made


@pytest.fixture
def open_store(io_loop: IOLoop) -> Iterator[Callable[[str | URL], Store]]:
    """Make stores that are closed when the test ends."""
    made: list[Store] = []

    def make(url: str | URL) -> Store:
        made.append(Store(url))
        return made[-1]

    yield make
    for store in made:
        io_loop.run_sync(store.close)


@pytest.fixture
def store(io_loop: IOLoop, open_store: Callable[[str | URL], Store], url: str | URL) -> Store:
    """Make a migrated store, of each kind in turn."""
    made = open_store(url)
    io_loop.run_sync(made.migrate)
    return made

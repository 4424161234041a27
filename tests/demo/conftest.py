"""The demo's databases, built once; a test that moves them takes a copy."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rcmon.demo.agents import AGENTS
from rcmon.demo.databases import build_databases, database
from rcmon.demo.odd import ODD_AGENTS

NOW = 1_780_000_000
SEED = "test"

Query = Callable[..., list[tuple[object, ...]]]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("built")
    build_databases(directory, SEED, NOW)
    return directory


@pytest.fixture
def directory(built: Path, tmp_path: Path) -> Path:
    """A copy of the databases, to be moved."""
    for agent in (*AGENTS, *ODD_AGENTS):
        shutil.copy(database(built, agent), tmp_path)
    return tmp_path


@pytest.fixture
def query() -> Iterator[Query]:
    """Ask a database that is opened read-only, once per path."""
    connections: dict[Path, sqlite3.Connection] = {}

    def ask(path: Path, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        if path not in connections:
            connections[path] = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        return connections[path].execute(statement, parameters).fetchall()

    yield ask
    for connection in connections.values():
        connection.close()

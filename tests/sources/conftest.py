"""Servers, the sample agent, and a small sound agent to spoil."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.sources.sample import unpack
from tests.sources.small import SmallAgent


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(tmp_path_factory.mktemp("sample") / "agent.sqlite")


@pytest.fixture(scope="session")
def sample_rows(sample: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(sample)
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def mariadb() -> Iterator[servers.Server]:
    with servers.mariadb() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[servers.Server]:
    with servers.postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def password_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The password of the private servers."""
    path = tmp_path_factory.mktemp("secrets") / "password"
    path.write_text("rcmon-test\n")
    return path


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallAgent]:
    agent = SmallAgent(tmp_path / "agent.sqlite")
    yield agent
    agent.close()

"""A small snapshot that holds every known field, and tools that a machine may lack."""

import os
import shutil

import pytest

from rcmon.model import Document, Snapshot
from rcmon.render import render
from tests.render.factory import make_snapshot


def tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        if os.environ.get("RCMON_TEST_ALL") == "1":
            pytest.fail(f"{name} is not installed, and RCMON_TEST_ALL=1 asks for every test")
        pytest.skip(f"{name} is not installed")
    return path


@pytest.fixture(scope="session")
def promtool() -> str:
    return tool("promtool")


@pytest.fixture(scope="session")
def curl() -> str:
    return tool("curl")


@pytest.fixture(scope="session")
def gzip_command() -> str:
    return tool("gzip")


@pytest.fixture(scope="session")
def snapshot() -> Snapshot:
    return make_snapshot(3, 2)


@pytest.fixture(scope="session")
def documents(snapshot: Snapshot) -> dict[str, Document]:
    return {document.key: document for document in render(snapshot)}

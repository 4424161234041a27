"""Every kind of client certificate and proxy, over TLS 1.2 and 1.3, is decided as the table says."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.access.https import Running, client_with, serving
from tests.access.matrix import CASES, Case
from tests.access.pki import Credential
from tests.access.world import World

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def running(world: World) -> Iterator[Running]:
    with serving(world.trust()) as running:
        yield running


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_each_client_is_decided_as_the_table_says(
    case: Case, world: World, running: Running, tmp_path: Path
) -> None:
    made = case.make(world, tmp_path)
    path = made.write(tmp_path / "client.pem") if isinstance(made, Credential) else made
    for version in VERSIONS:
        difference = case.differs(running.meet(client_with(path, version)))
        assert difference is None, f"{version.name}: {difference}"


def test_the_table_is_as_long_as_promised() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)

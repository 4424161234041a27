"""The fixture that starts the test service."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.running import Service, StartService


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartService]:
    """Give a function that starts a service with the arguments of service.py; all end with the test."""
    services: list[Service] = []

    def start_service(*arguments: str, environ: dict[str, str] | None = None) -> Service:
        folder = tmp_path / str(len(services))
        folder.mkdir()
        service = Service(folder, *arguments, environ=environ)
        services.append(service)
        return service

    yield start_service
    for service in services:
        service.end()

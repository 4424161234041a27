"""The index of the store's log is removed under a whole service: no worker stays on what is gone."""

import contextlib
from pathlib import Path

from tests.integration.running import Service, children, running, until

INDEX = "rcmon.sqlite-shm"


def holders(service: Service) -> dict[int, set[str]]:
    """Tell by process which index each has open, by the name that the system gives it."""
    found: dict[int, set[str]] = {}
    for process in children(service.process.pid):
        for file in Path(f"/proc/{process}/fd").iterdir():
            with contextlib.suppress(OSError):  # it is closed by now
                name = file.readlink().name
                if name.startswith(INDEX):
                    found.setdefault(process, set()).add(name)
    return found


def numbers(service: Service) -> list[int]:
    """Give the snapshots that workers have: some connections reach them all."""
    return [service.json("/api/status")["snapshot"]["id"] for _ in range(8)]


def test_all_workers_go_on_from_the_new_one(tmp_path, stack):
    options, pki = stack
    with running(tmp_path, *options, pki=pki) as service:
        until(service.serves_everywhere, "snapshots in all workers")
        site = service.json("/api/sites?limit=1")["sites"][0]["name"]
        history = f"/api/sites/{site}/history"
        for _ in range(8):
            assert service.curl(history)[0] == 200
        until(lambda: len(holders(service)) == 3, "the collector and both workers to have the store open")
        (index,) = tmp_path.rglob(INDEX)
        index.unlink()
        until(lambda: list(holders(service).values()) == [{INDEX}] * 3, "all of them to have the new index")
        newest = max(numbers(service))
        until(lambda: min(numbers(service)) > newest, "newer snapshots in all workers")
        assert {service.curl(path)[0] for path in (history, "/api/journal") for _ in range(8)} == {200}
        for _ in range(8):
            assert service.json("/api/status")["store"]["up"]

"""Socket activation: whoever starts rcmon listens, and restarts under load lose no request.

`RCMON_TEST_RESTARTS=50` restarts it so often.
"""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rcmon.process import given_sockets
from tests.integration.running import HAND_OVER, PROJECT, WITHIN, Service, running, until

RESTARTS = int(os.environ.get("RCMON_TEST_RESTARTS", "3"))

SCRAPED = ("--metrics-replicas", "a.example.org:5000, [::1]:5001", "--metrics-task-zeros", "false")


class Asking:
    """Asks on a new connection each time, as long as it is not told to stop; keeps what went wrong."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._stop = threading.Event()
        self.wrong: list[str] = []
        self.asked = 0
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def go_on_for_a_while(self, *, last: bool) -> None:
        """Ask some times more, then go on; or end, the last time."""
        if not self._thread.is_alive():
            self._thread.start()
        before = self.asked
        until(lambda: self.asked > before + 5 or self.wrong, "questions")
        if last:
            self._stop.set()
            self._thread.join()

    def _ask(self) -> None:
        while not self._stop.is_set():
            status, body = self._service.curl("/api/status", "--max-time", str(WITHIN))
            self.asked += 1
            if status != 200:
                self.wrong.append(f"{status}: {body[:200]}")


def test_restarts_under_load_lose_nothing(tmp_path: Path, stack: tuple[list[str], Path]) -> None:
    options, pki = stack
    asking: Asking | None = None
    with socket.create_server(("localhost", 0), backlog=1024) as held:
        for last in (*(False,) * RESTARTS, True):
            with running(tmp_path, *options, *SCRAPED, pki=pki, listening=held) as service:
                assert service.port == held.getsockname()[1]
                asking = asking or Asking(service)
                asking.go_on_for_a_while(last=last)
                if last:
                    check_scrapes(service)
    assert asking is not None
    assert asking.wrong == []


def check_scrapes(service: Service) -> None:
    """Hold what is configured for Prometheus: a service that runs anyhow is asked."""
    *_, own = service.json("/api/http_sd")
    assert own == {"targets": ["a.example.org:5000", "[::1]:5001"], "labels": {"__param_part": "service"}}
    status, text = service.curl("/api/metrics?collect[]=rcmon_task_jobs&part=grid", "--globoff")
    assert status == 200
    values = [line.rpartition(" ")[2] for line in text.splitlines() if not line.startswith("#")]
    assert values
    assert "0" not in values


@pytest.fixture
def elsewhere() -> Iterator[socket.socket]:
    """A socket that nobody can be served at."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        yield made


def taken_in_a_child(number: int) -> str:
    """Let another process take what it is given, and give what it says."""
    program = "import os, sys; from rcmon.process import given_sockets\n"
    program += "try: print(given_sockets())\nexcept Exception as error: print(error)"
    done = subprocess.run(
        ["bash", "-c", HAND_OVER, "bash", str(number), sys.executable, "-c", program],
        pass_fds=[number], capture_output=True, text=True, check=True, timeout=120,
        cwd=PROJECT,
    )  # fmt: skip
    return done.stdout


def test_what_nobody_can_be_served_at_is_refused(elsewhere: socket.socket, tmp_path: Path) -> None:
    assert "descriptor 3 of LISTEN_FDS listens at no TCP port" in taken_in_a_child(elsewhere.fileno())
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        assert "ListenStream=PORT" in taken_in_a_child(silent.fileno())
    with (tmp_path / "file").open("w") as file:
        assert "descriptor 3 of LISTEN_FDS is no socket" in taken_in_a_child(file.fileno())


def test_nothing_is_taken_that_was_given_to_another_process() -> None:
    environ = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "https", "HOME": "/"}
    assert given_sockets(environ) == []
    assert environ == {"HOME": "/"}, "nobody further is told"

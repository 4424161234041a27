"""The test service in processes of its own, and what a test needs to look at it and to hurt it."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

SERVICE = Path(__file__).with_name("service.py")
ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 60.0

T = TypeVar("T")


def eventually(condition: Callable[[], T], what: str = "") -> T:
    """Ask again until the answer is true, and give it; a test's only way to wait."""
    end = time.monotonic() + DEADLINE
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            pytest.fail(f"did not come true within {DEADLINE:g} s: {what or condition}")
        time.sleep(0.02)


def state_of(pid: int) -> str | None:
    """One letter as /proc has it (R S D T Z ...); None: no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def is_gone(pid: int) -> bool:
    """Whether a process runs no more; an orphan's zombie may wait for process 1."""
    return state_of(pid) in (None, "Z", "X")


def children_of(pid: int) -> set[int]:
    """The living children of a process."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] not in "ZX":
                found.add(int(stat.parent.name))
    return found


def descriptors_of(pid: int) -> list[str]:
    """What a process's descriptors point to."""
    links = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            links.append(str(link.readlink()))
    return links


def exit_code_of(work: Callable[[], int | None]) -> int:
    """Do something in a forked process and give its exit code, 255 when it raises."""
    pid = os.fork()
    if not pid:
        code = 255
        try:
            code = work() or 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def threads_of(pid: int) -> int:
    """How many threads a process has, whatever made them."""
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


class Service:
    """The test service: `process` is its parent process."""

    def __init__(self, folder: Path, *arguments: str, environ: dict[str, str] | None = None) -> None:
        self.release = folder / "release"
        self._log = folder / "service.log"
        self._said = folder / "service.out"
        with self._log.open("wb") as log, self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, str(SERVICE), "--release", str(self.release), *arguments],
                stdout=said,
                stderr=log,
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)} | (environ or {}),
                start_new_session=True,
            )
        self.seen: set[int] = set()
        self._connections: list[http.client.HTTPConnection] = []

    @property
    def pid(self) -> int:
        return self.process.pid

    def log(self) -> str:
        return self._log.read_text()

    def said(self) -> str:
        return self._said.read_text()

    def wait_ready(self) -> "Service":
        eventually(lambda: "READY" in self.said() or self.process.poll() is not None, "ready")
        assert "READY" in self.said(), self.log()
        self.note_children()
        return self

    def wait_log(self, text: str) -> None:
        eventually(lambda: text in self.log(), f"{text!r} in the log")

    @property
    def port(self) -> int:
        eventually(lambda: "\n" in self.said(), "an address")
        return int(self.said().split()[1].rpartition(":")[2])

    def note_children(self) -> set[int]:
        """Note who lives now, to be looked for when the parent is gone."""
        children = children_of(self.pid)
        self.seen |= children
        return children

    def connect(self, path: str) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        self._connections.append(connection)
        connection.request("GET", path, headers={"Connection": "close"})
        return connection

    def get(self, path: str = "/") -> Any:
        with contextlib.closing(self.connect(path)) as connection:
            return json.loads(connection.getresponse().read())

    def begin_hold(self) -> http.client.HTTPResponse:
        """Begin a request that stays in flight until `release` exists; the response ends in `ended`."""
        response = self.connect("/hold").getresponse()
        assert response.read(6) == b"begun,"
        return response

    def begin_hang(self) -> None:
        """Have a worker hang in a handler that never gives the loop back."""
        self.connect("/hang")
        self.wait_log("hanging")

    def descriptors(self) -> list[str]:
        """What the parent's descriptors point to."""
        return sorted(descriptors_of(self.pid))

    def slots(self) -> list[dict[str, Any]]:
        return list(self.get("/board")["slots"])

    def wait_successor(self, slot: int, of: int, *, restarts: int = 1) -> int:
        """Wait until another process lives in a slot, and give its pid."""

        def successor() -> int | None:
            found = self.slots()[slot]
            return found["pid"] if found["pid"] not in (None, of) and found["restarts"] >= restarts else None

        pid = eventually(successor, f"a successor of {of}")
        self.note_children()
        assert pid is not None
        return pid

    def kill(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def wait_exit(self) -> int:
        return self.process.wait(timeout=DEADLINE)

    def wait_all_gone(self) -> None:
        eventually(lambda: all(map(is_gone, self.seen)), f"all of {self.seen} gone")

    def is_listening(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self) -> None:
        """Leave nothing behind, whatever the test did."""
        for connection in self._connections:
            connection.close()
        if self.process.poll() is None:
            for pid in self.note_children():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.kill()
        self.process.wait(timeout=DEADLINE)
        for pid in self.seen:
            if not is_gone(pid) and str(SERVICE).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)


StartService = Callable[..., Service]

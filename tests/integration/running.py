"""A whole rcmon, run as its users run it: `python run.py` and curl."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rcmon.demo.demo import NOW_AND_THEN

PROJECT = Path(__file__).parent.parent.parent
BASE = "/wm_resource_monitor"
WITHIN = 240.0
"""Seconds for whatever is waited for: long, because the machine may be busy."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0
"""Seconds between two questions whether it holds."""


def until(holds: Callable[[], Any], what: str) -> Any:
    """Wait until something holds, and give it; asked ever more rarely, since asking costs CPU."""
    end, pause = time.monotonic() + WITHIN, FIRST_PAUSE
    while time.monotonic() < end:
        if value := holds():
            return value
        time.sleep(pause)
        pause = min(LONGEST_PAUSE, 1.3 * pause)
    raise AssertionError(f"waited {WITHIN:g} s in vain for {what}")


def children(pid: int) -> set[int]:
    """List the processes that a parent forked and that still live."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                state, parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:2]
                if int(parent) == pid and state != "Z":
                    found.add(int(entry.name))
    return found


class Service:
    """One running service and the ways to talk to it."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, pki: Path, log: Path) -> None:
        self.process, self.port, self.pki, self.log = process, port, pki, log

    @property
    def base(self) -> str:
        """Give the URL that everything is under."""
        return f"https://localhost:{self.port}{BASE}"

    def curl(self, path: str, *options: str, who: str | None = "reader") -> tuple[int, str]:
        """Ask by curl; returns status (0: no answer) and body."""
        command = [
            "curl",
            "-sS",
            "--max-time",
            "60",
            "--cacert",
            str(self.pki / "ca.crt"),
            "-w",
            "\n%{http_code}",
        ]
        if who is not None:
            command += ["--cert", str(self.pki / f"{who}.crt"), "--key", str(self.pki / f"{who}.key")]
        done = subprocess.run(
            [*command, *options, self.base + path], capture_output=True, text=True, check=False
        )
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body if done.returncode == 0 else done.stderr

    def serves_everywhere(self) -> bool:
        """Tell whether every worker has a snapshot: a few connections reach them all."""
        return all(self.curl("/api/sites?limit=1")[0] == 200 for _ in range(8))

    def hears_all(self) -> bool:
        """Tell whether every worker shows each source as up: the first polls may be late for a cycle.

        But for the one that answers now and then.
        """
        answers = [self.json("/api/status") for _ in range(8)]
        return all(
            source["up"] or source["name"] == NOW_AND_THEN
            for answer in answers
            for source in answer["sources"]
        )

    def json(self, path: str, who: str = "reader") -> Any:
        """Ask for JSON that must be there."""
        status, body = self.curl(path, who=who)
        assert status == 200, (status, body)
        return json.loads(body)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it and give its exit code."""
        self.process.send_signal(number)
        return self.process.wait(WITHIN)


HAND_OVER = 'exec 3<&"$1"; shift; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"'
"""Hands a socket over as systemd does."""


SMALL = 200
"""Bytes of a private file that holds a word and nothing else: a password or a token."""
LONG = 12
"""Characters from which on a word is a secret: the last line of a key is shorter at times."""


def environment() -> dict[str, str]:
    """Give what rcmon may be started with: what the tests are told by is no option of its."""
    return {key: value for key, value in os.environ.items() if not key.startswith("RCMON_")}


@contextlib.contextmanager
def running(
    directory: Path, *options: str, pki: Path | None = None, listening: socket.socket | None = None
) -> Iterator[Service]:
    """Run the service until the block ends, at a socket that is handed to it where there is one."""
    log = directory / "rcmon.log"
    command = [sys.executable, str(PROJECT / "run.py"), "--host", "localhost", "--port", "0"]
    command += ["--state-dir", str(directory / "state"), *options]
    handed = () if listening is None else (listening.fileno(),)
    if handed:
        command = ["bash", "-c", HAND_OVER, "bash", str(handed[0]), *command]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, cwd=directory, env=environment(), pass_fds=handed
        )
    try:
        port = until(lambda: _port(process, log), "the service to listen")
        service = Service(process, port, pki or directory / "state" / "demo" / "pki", log)
        until(service.serves_everywhere, f"a snapshot: {log.read_text()}")
        yield service
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    holds_no_secret(directory, service.pki)


def holds_no_secret(directory: Path, pki: Path) -> None:
    """Hold that nothing of what a service wrote has a line of a key, a password or a token of this run."""
    secrets = {
        line for key in pki.glob("*.key") for line in key.read_bytes().splitlines() if b"-" not in line
    }
    for file in directory.iterdir():
        if file.is_file() and file.stat().st_size <= SMALL and file.stat().st_mode & 0o077 == 0:
            secrets.add(file.read_bytes().strip())
    for written in (*directory.glob("*.log*"), *(directory / "state").rglob("rcmon.sqlite*")):
        text = written.read_bytes()
        assert not any(secret in text for secret in secrets if len(secret) >= LONG), f"{written} has a secret"


def _port(process: "subprocess.Popen[bytes]", log: Path) -> int | None:
    text = log.read_text()
    assert process.poll() is None, text
    for line in text.splitlines():
        if "listening at" in line:
            return int(line.split("listening at", 1)[1].split(",")[0].rsplit(":", 1)[1])
    return None

"""What the configuration holds in secret stands nowhere: every word is looked through that a service says."""

import contextlib
import http.server
import re
import signal
import socketserver
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.running import PROJECT, children, running, until

TOKEN = "tok3n-that-is-secret"
PASSWORD = "passw0rd-that-is-secret"
URL_PASSWORD = "ur1-passw0rd-that-is-secret"
PAGES = (
    "/api/status", "/api/metrics", "/api/findings", "/api/journal", "/api/agents", "/api", "/about", "/",
    "/api/openapi.json", "/api/nowhere",
)  # fmt: skip


class Echoing(http.server.BaseHTTPRequestHandler):
    """Refuses a request with all that it was sent: in the status line, a field and the body."""

    def do_POST(self) -> None:
        said = self.headers.get("Authorization", "")
        self.server.heard.append(said)  # type: ignore[attr-defined]
        self.send_response(403, f"not for {said}")
        self.send_header("WWW-Authenticate", said)
        self.end_headers()
        self.wfile.write(b'{"message": "%s"}' % said.encode())

    do_GET = do_POST  # noqa: N815 - as http.server calls it

    def log_message(self, *_: Any) -> None:
        pass


class Postgres(socketserver.BaseRequestHandler):
    """Asks for the password in clear, and sends it back in its error."""

    def handle(self) -> None:
        with contextlib.suppress(OSError, struct.error):
            (size,) = struct.unpack("!I", self.request.recv(4))
            start = self.request.recv(size - 4)
            if start[:4] == struct.pack("!I", 80877103):  # it would rather speak TLS
                self.request.sendall(b"N")
                (size,) = struct.unpack("!I", self.request.recv(4))
                self.request.recv(size - 4)
            self.request.sendall(b"R" + struct.pack("!II", 8, 3))
            said = self.request.recv(4096)[5:].rstrip(b"\0").decode()
            self.server.heard.append(said)  # type: ignore[attr-defined]
            text = f"SFATAL\0VFATAL\0C28P01\0Mpassword {said} is wrong\0D{said}\0\0".encode()
            self.request.sendall(b"E" + struct.pack("!I", len(text) + 4) + text)


@contextlib.contextmanager
def listening(kind: type[socketserver.TCPServer], handler: Any) -> Iterator[Any]:
    """Serve in a thread; `heard` is what clients said in confidence."""
    with kind(("127.0.0.1", 0), handler) as server:
        server.heard = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def secrets_of(key: Path) -> list[str]:
    """List what must stand nowhere: also each line of a key."""
    lines = key.read_text().splitlines()
    return [TOKEN, PASSWORD, URL_PASSWORD, *(line for line in lines if len(line) > 30 and "-" not in line)]


def look_through(text: str, secrets: list[str], where: str) -> None:
    found = [secret[:8] for secret in secrets if secret in text]
    assert not found, f"{where} holds {found}"


def said_by(*options: str) -> str:
    """Give all that a run says that ends by itself."""
    command = [sys.executable, str(PROJECT / "run.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    return done.stdout + done.stderr


def test_secrets_stand_nowhere(tmp_path: Path, stack: tuple[list[str], Path]) -> None:
    pytest.importorskip("asyncpg")
    options, pki = stack
    secrets = secrets_of(pki / "server.key")
    assert len(secrets) > 4
    for name, secret in (("token", TOKEN), ("password", PASSWORD)):
        (tmp_path / name).write_text(secret + "\n")
        (tmp_path / name).chmod(0o600)
    with (
        listening(http.server.ThreadingHTTPServer, Echoing) as board,
        listening(socketserver.ThreadingTCPServer, Postgres) as database,
    ):
        sources = tmp_path / "sources.toml"
        sources.write_text(
            f"""{sources.read_text()}
[[source]]
name = "ssb"
kind = "ssb"
dataset = "1"
url = "http://127.0.0.1:{board.server_address[1]}"
token_file = "token"
[[source]]
name = "reflecting"
kind = "wmagent"
url = "postgresql://reader@127.0.0.1:{database.server_address[1]}/wmagent"
password_file = "password"
"""
        )
        with running(tmp_path, *options, "--log-level", "debug", pki=pki) as service:
            until(lambda: len(board.heard) > 1 and len(database.heard) > 1, "two polls of each source")
            until(lambda: _failed(service.json("/api/status")) == {"ssb", "reflecting"}, "their failures")
            for page in PAGES:
                look_through(service.curl(page)[1], secrets, page)
            for pid in (service.process.pid, *children(service.process.pid)):
                limits = Path(f"/proc/{pid}/limits").read_text()
                assert re.search(r"Max core file size +0 +0 ", limits), limits
            service.process.send_signal(signal.SIGHUP)
            until(lambda: "SIGHUP" in service.log.read_text(), "the reload")
            assert service.stop() == 0
            log = service.log.read_text()
    assert TOKEN in board.heard[0]
    assert PASSWORD in database.heard[0]
    assert "reflecting" in log
    for path in [service.log, *(tmp_path / "state").rglob("*")]:
        if path.is_file():
            look_through(path.read_bytes().decode("latin-1"), secrets, str(path))
    elsewhere = [*options, "--database", f"postgresql://rcmon:{URL_PASSWORD}@127.0.0.1:9/none"]
    for asked in ("--print-config", "--check-config", "--state-dir=other"):
        look_through(said_by(*elsewhere, asked), secrets, asked)
    look_through(said_by(*elsewhere, "--check-config", "--probe"), secrets, "--probe")


def _failed(status: Any) -> set[str]:
    return {source["name"] for source in status["sources"] if source["error"]}

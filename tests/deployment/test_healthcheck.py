import asyncio
import contextlib
import importlib
import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from rcmon.demo.pki import DemoPki, make_pki
from rcmon.process import bind_local
from rcmon.web.probe import Probe

SCRIPT = Path(__file__).parents[2] / "conf" / "healthcheck.py"


@pytest.fixture
def pki(tmp_path: Path) -> DemoPki:
    return make_pki(tmp_path)


class Status(RequestHandler):
    answer: tuple[int, str] = (200, "healthy")

    def initialize(self, answer: tuple[int, str]) -> None:
        self.answer = answer

    def get(self) -> None:
        code, status = self.answer
        self.set_status(code)
        self.write({"status": status, "reasons": ["no snapshot"]})


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    (made,) = bind_sockets(0, "127.0.0.1")
    yield made
    made.close()


def serve(listening: socket.socket, pki: DemoPki, code: int, status: str) -> HTTPServer:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=pki.ca)
    context.load_cert_chain(pki.certificate("server"), pki.key("server"))
    context.verify_mode = ssl.CERT_REQUIRED
    routes = [("/wm_resource_monitor/api/status", Status, {"answer": (code, status)})]
    server = HTTPServer(Application(routes), ssl_options=context)
    server.add_socket(listening)
    return server


async def check(*arguments: str, **environment: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        SCRIPT,
        *arguments,
        env={"HEALTHCHECK_TIMEOUT": "30", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode().strip()


@contextlib.contextmanager
def local(folder: Path) -> Iterator[socket.socket]:
    """The socket that the service listens at for its own user."""
    listening = bind_local(folder / "health.sock")
    assert listening is not None
    with listening:
        yield listening


def say(status: str) -> bytes:
    return json.dumps({"status": status, "reasons": ["no snapshot", "old"]}).encode()


@pytest.mark.parametrize(
    ("status", "arguments", "expected"),
    [
        ("healthy", [], (0, "")),
        ("degraded", [], (0, "")),
        ("unhealthy", [], (1, "unhealthy: no snapshot; old")),
        ("unhealthy", ["alive"], (0, "")),
    ],
)
async def test_the_status_counts_without_a_certificate(
    tmp_path: Path, status: str, arguments: list[str], expected: tuple[int, str]
) -> None:
    """In a folder whose name is longer than an address may be."""
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    with local(folder) as listening:
        probe = Probe([listening], lambda: say(status))
        await probe.start()
        assert await check(*arguments, RCMON_STATE_DIR=str(folder)) == expected
        probe.stop()


@pytest.mark.parametrize("arguments", [[], ["alive"]])
async def test_without_an_answer_it_is_ill(tmp_path: Path, arguments: list[str]) -> None:
    """The kernel takes the connection, nobody answers it; nobody takes it; there is nothing to connect to."""
    place = {"HEALTHCHECK_SOCKET": str(tmp_path / "health.sock"), "HEALTHCHECK_TIMEOUT": "0.5"}
    with local(tmp_path):
        code, said = await check(*arguments, **place)
        assert (code, "timed out" in said) == (1, True)
    code, said = await check(*arguments, **place)
    assert (code, "refused" in said) == (1, True)
    (tmp_path / "health.sock").unlink()
    code, said = await check(*arguments, **place)
    assert (code, "No such file" in said) == (1, True)


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        (200, "healthy", (0, "")),
        (200, "degraded", (0, "")),
        (200, "unhealthy", (1, "unhealthy: no snapshot")),
        (403, "", (1, "localhost:PORT: answered 403")),
    ],
)
async def test_with_a_certificate_the_status_counts(
    pki: DemoPki, listening: socket.socket, code: int, status: str, expected: tuple[int, str]
) -> None:
    server = serve(listening, pki, code, status)
    port = listening.getsockname()[1]
    result, said = await check(RCMON_PORT=str(port), HEALTHCHECK_CERT=str(pki.both("reader")))
    assert (result, said.replace(str(port), "PORT")) == expected
    server.stop()


async def test_a_service_that_hangs_or_is_not_there_is_ill_over_tls(
    pki: DemoPki, listening: socket.socket
) -> None:
    """The kernel takes the connection, and nobody answers it."""
    asked = {"RCMON_PORT": str(listening.getsockname()[1]), "HEALTHCHECK_CERT": str(pki.both("reader"))}
    code, said = await check(**asked, HEALTHCHECK_TIMEOUT="0.5")
    assert (code, "timed out" in said) == (1, True)
    listening.close()
    code, said = await check(**asked)
    assert (code, "refused" in said) == (1, True)


def test_what_kubernetes_puts_into_the_port_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    port_of = importlib.import_module(SCRIPT.stem).port_of
    assert port_of({"RCMON_PORT": "tcp://10.96.3.7:5000"}) == 5000
    assert port_of({"RCMON_PORT": "tcp://10.96.3.7:5000", "HEALTHCHECK_PORT": "7"}) == 7
    assert port_of({"RCMON_PORT": "5443"}) == 5443

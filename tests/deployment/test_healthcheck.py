import asyncio
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


async def check(port: int, **environment: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        SCRIPT,
        env={"HEALTHCHECK_TIMEOUT": "5", "RCMON_PORT": str(port), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode().strip()


async def test_without_a_certificate_a_handshake_will_do(pki: DemoPki, listening: socket.socket) -> None:
    server = serve(listening, pki, 200, "unhealthy")
    assert await check(listening.getsockname()[1]) == (0, "")
    server.stop()


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        (200, "healthy", (0, "")),
        (200, "degraded", (0, "")),
        (200, "unhealthy", (1, "unhealthy: ['no snapshot']")),
        (403, "", (1, "localhost:PORT: answered 403")),
    ],
)
async def test_with_a_certificate_the_status_counts(
    pki: DemoPki, listening: socket.socket, code: int, status: str, expected: tuple[int, str]
) -> None:
    server = serve(listening, pki, code, status)
    port = listening.getsockname()[1]
    result, said = await check(port, HEALTHCHECK_CERT=str(pki.both("reader")))
    assert (result, said.replace(str(port), "PORT")) == expected
    server.stop()


async def test_a_service_that_hangs_is_ill(listening: socket.socket) -> None:
    """The kernel takes the connection; nobody answers it."""
    code, said = await check(listening.getsockname()[1], HEALTHCHECK_TIMEOUT="0.5")
    assert code == 1
    assert "timed out" in said


async def test_a_service_that_is_not_there_is_ill(listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    listening.close()
    code, said = await check(port)
    assert code == 1
    assert "refused" in said

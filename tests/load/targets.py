"""What is put under load: a running rcmon, a demo of our own, and the servers it is compared with."""

import contextlib
import gzip
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from client import Endpoint

PROJECT = Path(__file__).parent.parent.parent
HERE = Path(__file__).parent
_CONNECTIONS = 20


@dataclass(frozen=True)
class Pki:
    """Where the certificates are."""

    directory: Path

    def path(self, name: str) -> str:
        """Name one file."""
        return str(self.directory / name)


@dataclass(frozen=True)
class Target:
    """One server: where it answers, who may ask, and its first process (0: not ours to measure)."""

    name: str
    status_url: str
    metrics_url: str | None
    pem: str
    ca: str
    pid: int = 0

    def status(self) -> Endpoint:
        """Ask for the status."""
        return Endpoint(self.status_url, self.pem, self.ca, old_keep_alive=self.name != "starlette")

    def metrics(self) -> Endpoint:
        """Scrape as Prometheus does."""
        assert self.metrics_url is not None
        fields = ("Accept-Encoding: gzip", "Accept: text/plain;version=0.0.4")
        return Endpoint(self.metrics_url, self.pem, self.ca, fields)


def free_port() -> int:
    """Find a port that nobody uses now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def started(command: Sequence[str], port: int, log: Path, **environment: str) -> Iterator[int]:
    """Run a server until the block ends; gives its process id when it listens."""
    with log.open("w") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **environment}, cwd=PROJECT
        )
    try:
        _wait_for(port, process, log)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended at once: {log.read_text()[-2000:]}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"{process.args} does not listen: {log.read_text()[-2000:]}")


@contextlib.contextmanager
def demo(directory: Path, shape: str, workers: int, *options: str) -> Iterator[Target]:
    """Start a demo of our own with a generated grid."""
    port, state = free_port(), directory / "state"
    command = [sys.executable, str(PROJECT / "run.py"), "--demo", "--synthetic", shape, "--port", str(port)]
    command += ["--host", "127.0.0.1", "--workers", str(workers), "--state-dir", str(state)]
    command += ["--log-file", str(directory / "rcmon.log")]
    command += ["--max-request-rate-per-identity", "0", *options]  # all that is sent has one identity
    base = f"https://localhost:{port}/wm_resource_monitor/api"
    pki = Pki(state / "demo" / "pki")
    with started(command, port, directory / "rcmon.out") as pid:
        target = Target(
            "rcmon", f"{base}/status", f"{base}/metrics", pki.path("reader.pem"), pki.path("ca.crt"), pid
        )
        _wait_for_snapshot(target)
        yield target


def _wait_for_snapshot(target: Target) -> None:
    """Wait until every worker has a snapshot: a few connections reach them all."""
    url, times = target.status_url.removesuffix("/status") + "/sites?limit=1", 0
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, context=target.status().context(), timeout=5):
                times += 1
        except (urllib.error.URLError, ssl.SSLError, OSError):
            times = 0
            time.sleep(0.2)
        if times == _CONNECTIONS:
            return
    raise RuntimeError(f"no snapshot at {url}")


@contextlib.contextmanager
def reference(directory: Path, pki: Pki, series: int) -> Iterator[Target]:
    """Start Flask on gunicorn with mutual TLS."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--chdir", str(HERE), "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "4", "--worker-class", "gthread", "--threads", "2", "--timeout", "120"]
    command += ["--certfile", pki.path("server.crt"), "--keyfile", pki.path("server.key")]
    command += ["--ca-certs", pki.path("ca.crt"), "--cert-reqs", "2", "reference_app:app"]
    base = f"https://localhost:{port}/api"
    with started(command, port, directory / "reference.out", SERIES=str(series)) as pid:
        yield Target(
            "reference", f"{base}/status", f"{base}/metrics", pki.path("reader.pem"), pki.path("ca.crt"), pid
        )


@contextlib.contextmanager
def other(name: str, directory: Path, pki: Pki) -> Iterator[Target]:
    """Start another Python server, `aiohttp` or `starlette`."""
    port = free_port()
    files = [pki.path(file) for file in ("server.crt", "server.key", "ca.crt")]
    command = [sys.executable, str(HERE / "other_apps.py"), name, str(port), *files]
    with started(command, port, directory / f"{name}.out") as pid:
        url = f"https://localhost:{port}/api/status"
        yield Target(name, url, None, pki.path("reader.pem"), pki.path("ca.crt"), pid)


@contextlib.contextmanager
def nginx(directory: Path, pki: Pki, status: bytes, exposition: bytes) -> Iterator[Target]:
    """Start nginx, which serves the same status and exposition as files, the latter compressed before.

    Its log is written as rcmon's is, and like rcmon it gives no session tickets.
    """
    port, root = free_port(), directory / "nginx"
    (root / "api").mkdir(parents=True, exist_ok=True)
    (root / "api" / "status").write_bytes(status)
    (root / "api" / "metrics").write_bytes(exposition)
    (root / "api" / "metrics.gz").write_bytes(gzip.compress(exposition, 6))
    config = root / "nginx.conf"
    config.write_text(
        f"""daemon off; {"user root; " if os.geteuid() == 0 else ""}worker_processes 2;
        pid {root}/pid; error_log {root}/error.log;
        events {{ worker_connections 1024; }}
        http {{ access_log {root}/access.log; default_type text/plain; gzip_static on; gzip_http_version 1.0;
          keepalive_requests 1000000;
          client_body_temp_path {root}/b; proxy_temp_path {root}/p; fastcgi_temp_path {root}/f;
          uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;
          ssl_session_tickets off;
          server {{ listen 127.0.0.1:{port} ssl; root {root}; ssl_certificate {pki.path("server.crt")};
            ssl_certificate_key {pki.path("server.key")}; ssl_client_certificate {pki.path("ca.crt")};
            ssl_verify_client on; }} }}"""
    )
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with started([program, "-c", str(config), "-p", str(root)], port, directory / "nginx.out") as pid:
        base = f"https://localhost:{port}/api"
        yield Target(
            "nginx", f"{base}/status", f"{base}/metrics", pki.path("reader.pem"), pki.path("ca.crt"), pid
        )

"""Replicas on one PostgreSQL behind HAProxy, as `conf/haproxy.cfg` has it: a rolling restart fails nobody.

`RCMON_TEST_ROLLS=20` restarts both of them so often, one after the other.
"""

import http.client
import os
import re
import ssl
import subprocess
import threading
from collections import Counter
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

from tests.integration.running import BASE, PROJECT, Service, running, until
from tests.servers import free_port, haproxy, need, postgresql

ROLLS = int(os.environ.get("RCMON_TEST_ROLLS", "1"))
PATIENCE = 300.0
PATHS = (f"{BASE}/api/status", f"{BASE}/api/sites?limit=5", f"{BASE}/api/metrics?part=service")


class Client:
    """Asks on one connection, and on a new one where that was closed: each question twice at most."""

    def __init__(self, port: int, pki: Path) -> None:
        self._port = port
        self._tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self._tls.load_cert_chain(pki / "reader.crt", pki / "reader.key")
        self._kept: http.client.HTTPSConnection | None = None
        self.told: Counter[str] = Counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask_on, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._stop.set()
        self._thread.join()

    def hears_more(self) -> None:
        """Wait until it has ten answers more."""
        wanted = self.told["200"] + 10
        until(lambda: self.told["200"] >= wanted, f"answers: {self.told}")

    def _ask_on(self) -> None:
        for number in count():
            if self._stop.is_set():
                break
            if number % 7 == 0:
                self._leave()
            self.told[self._ask(PATHS[number % len(PATHS)])] += 1
        self._leave()

    def _ask(self, path: str) -> str:
        for last in (False, True):
            try:
                return self._once(path)
            except (OSError, http.client.HTTPException) as error:
                self._leave()
                if last:
                    return f"{path}: {error!r}"
                self.told["again"] += 1
        raise AssertionError("it is asked twice at most")

    def _once(self, path: str) -> str:
        if self._kept is None:
            self._kept = http.client.HTTPSConnection(
                "localhost", self._port, timeout=PATIENCE, context=self._tls
            )
        self._kept.request("GET", path)
        answer = self._kept.getresponse()
        answer.read()
        return str(answer.status)

    def _leave(self) -> None:
        if self._kept is not None:
            with suppress(OSError):
                self._kept.close()
        self._kept = None


def configured(folder: Path, pki: Path, replicas: list[int]) -> str:
    """Write the example for replicas and certificates that are here."""
    text = (PROJECT / "conf" / "haproxy.cfg").read_text()
    probe = folder / "probe.pem"
    probe.write_text((pki / "reader.crt").read_text() + (pki / "reader.key").read_text())
    for given, here in (
        ("bind :5000", "bind 127.0.0.1:{port}"),
        ("/etc/haproxy/rcmon/ca.crt", str(pki / "ca.crt")),
        ("/etc/haproxy/rcmon/probe.pem", str(probe)),
        ("rcmon-1.example.org:5000", f"127.0.0.1:{replicas[0]}"),
        ("rcmon-2.example.org:5000", f"127.0.0.1:{replicas[1]}"),
        ("rcmon.example.org", "localhost"),
    ):
        assert given in text
        text = text.replace(given, here)
    return text


def check(config: Path) -> None:
    """Hold that HAProxy takes its configuration, and warns of nothing."""
    command = [need("haproxy"), "-c", "-f", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[WARNING]" not in done.stdout + done.stderr


def test_a_rolling_restart_of_replicas_fails_nobody(tmp_path: Path, stack: tuple[list[str], Path]) -> None:
    options, pki = stack
    ports = [free_port(), free_port()]
    with ExitStack() as ends:
        server = ends.enter_context(postgresql())
        url = server.url("postgresql", "postgres").replace("@", f":{server.password}@")

        def start(number: int, held: ExitStack) -> Service:
            folder = tmp_path / str(number)
            folder.mkdir(exist_ok=True)
            own = ["--database", url, "--port", str(ports[number]), "--workers", "1"]
            return held.enter_context(running(folder, *options, *own, pki=pki))

        replicas = [ends.enter_context(ExitStack()) for _ in ports]
        services = [start(number, held) for number, held in enumerate(replicas)]
        balancer = ends.enter_context(haproxy(configured(tmp_path, pki, ports)))
        check(balancer.folder / "haproxy.cfg")
        clients = [Client(balancer.port, pki) for _ in range(3)]
        for client in clients:
            client.start()
            ends.callback(client.end)
        for client in clients:
            client.hears_more()
        for _ in range(ROLLS):
            for number, held in enumerate(replicas):
                assert services[number].stop() == 0
                held.close()
                services[number] = start(number, held)
                for client in clients:
                    client.hears_more()
        for client in clients:
            client.end()
        told = sum((client.told for client in clients), Counter[str]())
        print(dict(told))
        assert set(told) <= {"200", "again"}, told
        for service in services:
            assert not re.search(r"Traceback|ERROR", service.log.read_text())

"""The container's probe and the service manager, over the whole service."""

import os
import re
import socket
import subprocess
import sys

import pytest

from tests.integration.running import PROJECT, running, until


def probe(state):
    return subprocess.run(
        [sys.executable, str(PROJECT / "conf" / "healthcheck.py")],
        env=os.environ | {"RCMON_STATE_DIR": str(state), "HEALTHCHECK_TIMEOUT": "30"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_probe_is_no_failed_handshake_and_ready_comes_with_a_snapshot(tmp_path, monkeypatch, workers):
    """No line and no count of a refusal comes of it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(300)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with running(tmp_path, "--demo", "--workers", workers, "--cycle-interval", "1") as service:
            until(lambda: (said := manager.recv(4096).decode()) == "READY=1" and said, "READY")
            assert service.json("/api/status")["snapshot"]["id"] >= 1
            line = re.compile(r"STATUS=.*cycle \d+, (?:19|20) of 20 sources up, 11 agents; .*processes work$")
            until(lambda: line.match(manager.recv(4096).decode()), "all sources in a cycle")
            asked = [probe(tmp_path / "state") for _ in range(6)]
            for done in asked:
                assert done.returncode == 0 or done.stderr.startswith("unhealthy: "), done
            lines = service.log.read_text()
            assert "handshake" not in lines
            failed = re.findall(
                r"^rcmon_tls_handshake_failures_total\S* (\S+)", service.curl("/api/metrics")[1], re.MULTILINE
            )
            assert sum(map(float, failed)) == 0
    assert probe(tmp_path / "state" / "demo").returncode == 1
    assert not (tmp_path / "state" / "demo" / "health.sock").exists(), "it goes with the service"

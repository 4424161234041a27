"""The README's walk from observe to control on one agent, and back: each line is run, on the demo."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.docs.texts import blocks, chapter, section
from tests.integration.running import PROJECT, Service, running, until
from tests.servers import free_port

HEADING = "## From observe to control on one agent, and back"
AGENT = "vocms0281"


def test_the_readmes_lines_lead_an_agent_to_control_and_back(tmp_path: Path) -> None:
    function, *steps = blocks(section(chapter("bridge"), HEADING), "sh")
    assert function.startswith("rcmon() ")
    assert len(steps) == 4
    program(tmp_path)
    with running(tmp_path, "--demo", "--workers", "1", "--cycle-interval", "5") as service:
        concluded(service, service.pki.parent / "control.toml")
        port = free_port()
        script = "trap '[ -z \"${bridge:-}\" ] || kill $bridge 2> ended' EXIT\n"
        script += "echo '=== next'\n".join([function, *steps])
        script = script.replace("var/demo", str(service.pki.parent)).replace(":5000", f":{service.port}")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script.replace(":8449", f":{port}")],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600,
            env=os.environ
            | {"RCMON_BRIDGE_LISTEN": f"127.0.0.1:{port}", "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    _, observed, advised, controlled, back = done.stdout.split("=== next\n")
    assert "is in mode observe" in observed
    assert observed.endswith("not yet\n")
    assert f'config.AgentStatusWatcher.grafanaSSB = "{AGENT}"' in observed
    told = json.loads(advised)
    assert told["mode"] == "advise"
    assert "error" not in controlled[controlled.rindex("holds a token of") :]
    asked = json.loads(controlled.splitlines()[-1])
    sites = {hit["_source"]["data"]["name"] for hit in asked["responses"][0]["hits"]["hits"]}
    assert sites == {*told["sites"]}
    assert "is in mode observe" in back


def program(folder: Path) -> None:
    """Put the program there as it is installed."""
    path = folder / "rcmon-bridge"
    path.write_text(f'#!/bin/sh\nPYTHONPATH={PROJECT} exec {sys.executable} -m rcmon.bridge "$@"\n')
    path.chmod(0o755)


def concluded(service: Service, file: Path) -> None:
    """Wait until a cycle has concluded what the agent is to do; the file is as before afterwards."""
    before = file.read_text()
    file.write_text('[control]\nmode = "advise"\n')
    until(lambda: sound(service), "a control document")
    file.write_text(before)
    until(lambda: service.curl(f"/api/agents/{AGENT}/control")[0] == 404, "the mode observe")


def sound(service: Service) -> Any:
    status, body = service.curl(f"/api/agents/{AGENT}/control")
    return status == 200 and json.loads(body)["problem"] is None

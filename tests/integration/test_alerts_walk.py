"""The README's way from nothing to alerts on screen: each line is run, with ports and intervals of ours."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.docs.texts import README, blocks, chapter, section
from tests.integration.running import PROJECT, WITHIN, until
from tests.servers import free_port, need

HEADING = "## From nothing to alerts on screen"
MOST = 10
PORTS = {name: free_port() for name in ("5000", "9190", "9193")}


def lines() -> list[str]:
    (block,) = blocks(section(chapter("metrics"), HEADING), "sh")
    return block.splitlines()


def ours(line: str) -> str:
    """Let a line use ports that are free here."""
    for written, port in PORTS.items():
        line = re.sub(rf"(?<=:){written}\b", str(port), line)
    return line


@contextmanager
def beside(line: str, place: Path) -> Iterator[None]:
    """Run what a line leaves running."""
    log = place / f"log-{shlex.split(line)[0].rpartition('/')[2]}"
    with log.open("wb") as output:
        process = subprocess.Popen(["bash", "-c", f"exec {line}"], cwd=place, stdout=output, stderr=output)
    try:
        yield
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        process.wait(WITHIN)


def run(line: str, place: Path) -> str:
    done = subprocess.run(
        ["bash", "-euc", line], cwd=place, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return done.stdout


def hasten(folder: Path) -> None:
    """Look and tell every few seconds: what the times are, the rules' own tests hold."""
    rules, config, manager = (folder / name for name in ("alerts.yml", "prometheus.yml", "alertmanager.yml"))
    rules.write_text(re.sub(r"^ +for: .*\n", "", rules.read_text(), flags=re.MULTILINE))
    config.write_text(ours(re.sub(r"\b(60|10)s$", "3s", config.read_text(), flags=re.MULTILINE)))
    manager.write_text(manager.read_text().replace(".example.org", ".invalid"))


def test_there_are_ten_lines_or_fewer_and_they_begin_with_nothing() -> None:
    install, make, *_ = lines()
    assert len(lines()) <= MOST
    assert make in README.read_text(), "the line that sets up is the one that CI runs"
    packages = set(shlex.split(install.removeprefix("sudo apt-get install -y ")))
    listed = (PROJECT / ".ci" / "run").read_text().partition("packages=(")[2].partition(")")[0]
    assert packages <= set(listed.split())
    assert packages


def test_the_packages_are_what_apt_knows() -> None:
    install, *_ = lines()
    asked = shlex.split(install.removeprefix("sudo "))
    done = subprocess.run(
        [need("apt-get"), "--simulate", *asked[1:]], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr


def test_a_dead_agent_is_on_screen_and_what_follows_from_it_is_not(tmp_path: Path) -> None:
    for program in ("prometheus", "prometheus-alertmanager", "amtool"):
        need(program)
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parent.parent)
    (tmp_path / "run.py").symlink_to(PROJECT / "run.py")
    shutil.copytree(PROJECT / "conf", tmp_path / "conf")
    _, _, demo, *prepare, manager, watch, look = map(ours, lines())
    with ExitStack() as stack:
        options = f"--port {PORTS['5000']} --host localhost --workers 1 --cycle-interval 3"
        stack.enter_context(beside(demo.replace("&", options), tmp_path))
        until((tmp_path / "var/demo/pki/reader.key").exists, "the demo's certificates")
        for line in prepare:
            run(line, tmp_path)
        hasten(tmp_path / "var" / "prometheus")
        for line in (manager, watch):
            stack.enter_context(beside(line.removesuffix("&"), tmp_path))
        shown = until(lambda: shows(look, tmp_path), "the dead agent")
        assert "no component works" in shown
        assert not re.search(r"AgentComponentsDown .*wmagent-silent", shown)
        runbook = f"https://localhost:{PORTS['5000']}/wm_resource_monitor/runbooks/AgentDown"
        assert runbook in (tmp_path / "var/prometheus/alerts.yml").read_text()
        assert (tmp_path / "var/grafana/grid.json").exists()


def shows(look: str, place: Path) -> str | None:
    """Give what the last line shows, once the dead agent is in it."""
    done = subprocess.run(
        ["bash", "-c", look], cwd=place, capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout if re.search(r"AgentDown .*wmagent-silent", done.stdout) else None


@pytest.mark.parametrize("name", ["prometheus.yml", "alertmanager.yml"])
def test_what_is_copied_is_there(name: str) -> None:
    assert (PROJECT / "conf" / "prometheus" / name).exists()

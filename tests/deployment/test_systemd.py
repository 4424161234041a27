import re
import subprocess
import sys
from pathlib import Path

import pytest

from rcmon.bridge.options import load
from rcmon.bridge.running import GRACE
from rcmon.config import OPTIONS
from tests.servers import need

CONF = Path(__file__).parents[2] / "conf"
UNIT, BRIDGE = CONF / "rcmon.service", CONF / "rcmon-bridge.service"
SOCKET = CONF / "rcmon.socket"


def settings(unit: Path = UNIT) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        key, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("given", [UNIT, BRIDGE], ids=lambda path: path.name)
def test_systemd_takes_the_unit(tmp_path: Path, given: Path) -> None:
    """With a program that is there: the one that the unit names is where people install it."""
    unit = tmp_path / given.name
    unit.write_text(re.sub(r"/opt/rcmon/venv/bin/rcmon(-bridge)?", sys.executable, given.read_text()))
    done = subprocess.run(
        [need("systemd-analyze"), "verify", "--man=no", str(unit)],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("given", [UNIT, BRIDGE], ids=lambda path: path.name)
def test_the_units_exposure_is_below_two(given: Path) -> None:
    """Of ten, as systemd counts it; the threshold is in tenths."""
    done = subprocess.run(
        [need("systemd-analyze"), "security", "--offline=true", "--threshold=20", "--no-pager", str(given)],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-200:]


def test_systemd_takes_the_socket_with_its_service(tmp_path: Path) -> None:
    for given in (UNIT, SOCKET):
        text = re.sub(r"/opt/rcmon/venv/bin/rcmon\b", sys.executable, given.read_text())
        (tmp_path / given.name).write_text(text)
    done = subprocess.run(
        [need("systemd-analyze"), "verify", "--man=no", str(tmp_path / SOCKET.name)],
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_socket_is_where_the_service_would_listen() -> None:
    default = {option.name: option.default for option in OPTIONS}
    held = settings(SOCKET)
    assert held["ListenStream"] == [f"{default['host']}:{default['port']}"]
    assert held["Accept"] == ["no"]


def test_unit_fits_the_service() -> None:
    held = settings()
    default = {option.name: option.default for option in OPTIONS}
    assert held["Type"] == ["notify"]
    assert held["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert held["RestartPreventExitStatus"] == ["78"]
    assert float(held["TimeoutStopSec"][0]) > float(default["shutdown-grace"] or 0)
    assert int(held["LimitNOFILE"][0]) > int(default["max-connections"] or 0)
    assert held["User"] != ["root"]


HARDENING = re.compile(r"(Protect|Private|Restrict|SystemCall|Lock|NoNew|Capability|Ambient|Remove|Keyring)")


def test_the_bridges_unit_is_as_hard_as_the_services() -> None:
    ours, services = settings(BRIDGE), settings()
    hard = {key: value for key, value in services.items() if HARDENING.match(key)}
    assert len(hard) > 15
    assert {key: ours.get(key) for key in hard} == hard
    assert ours["Type"] == ["notify"]
    assert ours["RestartPreventExitStatus"] == ["78"]
    assert float(ours["TimeoutStopSec"][0]) > GRACE
    assert ours["User"] != ["root"]


def test_the_bridges_example_is_valid() -> None:
    text = (CONF / "bridge.toml").read_text()
    settled = load(["--config", str(CONF / "bridge.toml")], {}, "test")
    assert settled.address == "127.0.0.1:8449"
    assert f'agent = "{settled.agent}"' in text


def test_every_key_of_the_bridges_example_is_one_with_its_default(tmp_path: Path) -> None:
    text = re.sub(r"^# (?=\w+ = )", "", (CONF / "bridge.toml").read_text(), flags=re.MULTILINE)
    (tmp_path / "bridge.toml").write_text(text)
    whole = load(["--config", str(tmp_path / "bridge.toml")], {}, "test")
    plain = load(["--config", str(CONF / "bridge.toml")], {}, "test")
    assert (whole.timeout, whole.address, whole.log_format) == (
        plain.timeout, plain.address, plain.log_format
    )  # fmt: skip
    assert whole.agent_config is not None

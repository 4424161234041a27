import subprocess
import sys
from pathlib import Path

from rcmon.config import OPTIONS
from tests.servers import need

UNIT = Path(__file__).parents[2] / "conf" / "rcmon.service"


def settings() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        key, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """With a program that is there: the one that the unit names is where people install it."""
    unit = tmp_path / "rcmon.service"
    unit.write_text(UNIT.read_text().replace("/opt/rcmon/venv/bin/rcmon", sys.executable))
    done = subprocess.run(
        [need("systemd-analyze"), "verify", "--man=no", str(unit)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_unit_fits_the_service() -> None:
    held = settings()
    default = {option.name: option.default for option in OPTIONS}
    assert held["Type"] == ["notify"]
    assert held["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert held["RestartPreventExitStatus"] == ["78"]
    assert float(held["TimeoutStopSec"][0]) > float(default["shutdown-grace"] or 0)
    assert int(held["LimitNOFILE"][0]) > int(default["max-connections"] or 0)
    assert held["User"] != ["root"]

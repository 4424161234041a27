"""A writer that is killed loses nothing that it saved and leaves nothing torn."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_newest_snapshot_is_whole_however_a_writer_dies(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "tests.store.killed",
        str(tmp_path / "rcmon.sqlite"),
        "20",
    ]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rounds, saves = done.stdout.split()
    assert int(rounds) == 20
    assert int(saves) >= 20

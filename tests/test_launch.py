"""What somebody meets who starts run.py by the wrong Python, or without its packages."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent


@pytest.mark.parametrize("command", [["run.py"], ["-m", "rcmon"]])
def test_without_packages_a_line_says_what_to_do(command):
    done = subprocess.run(
        [sys.executable, "-S", *command, "--help"],
        cwd=PROJECT, env={"PATH": os.defpath}, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 78
    (line,) = done.stderr.splitlines()
    assert line.startswith("rcmon: the package ")
    assert "pip install ." in line


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 9, 2), (3, 10, 14)])
def test_an_old_python_is_named(version):
    """As far as it gets: run.py and the package's first file are read by any Python."""
    for name in ("run.py", "rcmon/__init__.py"):
        ast.parse((PROJECT / name).read_text(), feature_version=(3, 4))
    pretend = f"import runpy, sys; sys.version_info = {version}; sys.version = '9.9 (x)'\n"
    pretend += "runpy.run_path('run.py', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", pretend], cwd=PROJECT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 78
    assert done.stderr == "rcmon: needs Python 3.11 or newer; this is 9.9\n"

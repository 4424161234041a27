"""Asks WMCore's own, unmodified code: a program of `programs/` runs in the peer's environment.

The peer's environment is apart from ours, because the agent pins other versions of what we use. It is the
interpreter that RCMON_TEST_PEER names, else `var/peer/bin/python` in the clone; rcmon/docs/development.md
says how it is made. Without it tests skip, and fail where RCMON_TEST_ALL=1.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
REQUIREMENTS = HERE / "requirements.txt"
WITHIN = 120.0
"""Seconds that an answer may take; the slowest takes a few."""


def interpreter() -> Path:
    """Find the peer's Python; without it the test skips with the reason, or fails where RCMON_TEST_ALL=1."""
    named = os.environ.get("RCMON_TEST_PEER")
    python = Path(named).absolute() if named else HERE.parents[1] / "var" / "peer" / "bin" / "python"
    if python.is_file():
        return python
    reason = f"needs the unmodified WMAgent, but there is no {python}; README says how it is made"
    if os.environ.get("RCMON_TEST_ALL") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def ask(program: str, question: object, *, within: float = WITHIN) -> Any:
    """Run a program of `programs/` in the peer's environment: a question as JSON in, its answer as JSON out.

    What the program or WMCore say on standard error ends the test where the program fails.
    """
    python = interpreter()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "RCMON_", "COVERAGE_", "VIRTUAL_ENV"))
    }
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [python, "-B", PROGRAMS / f"{program}.py"],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            timeout=within,
            cwd=folder,
            env=environment,
            check=False,
        )
    if done.returncode:
        pytest.fail(f"{program} left with {done.returncode}:\n{done.stderr[-4000:]}", pytrace=False)
    return json.loads(done.stdout)

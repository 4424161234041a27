"""The private servers: a missing one skips or fails as asked, none outlives the tests."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import need

STARTS_AND_IS_KILLED = """
import os
from tests.servers import postgresql
with postgresql() as server:
    print(server.process.pid, flush=True)
    os.kill(os.getpid(), 9)
"""


def test_a_missing_program_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RCMON_TEST_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs the program no-such-program"):
        need("no-such-program")


def test_a_missing_program_fails_where_all_tests_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RCMON_TEST_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="needs the program no-such-program"):
        need("no-such-program")


def test_a_server_ends_with_the_tests_however_they_end() -> None:
    need("initdb", *(str(path) for path in Path("/usr/lib/postgresql").glob("*/bin")))
    killed = subprocess.run(
        [sys.executable, "-c", STARTS_AND_IS_KILLED],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert killed.returncode == -9
    while Path(f"/proc/{int(killed.stdout)}").exists():
        """The guard ends once the server has."""

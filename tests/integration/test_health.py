"""What an operator would say is what status, page, metrics and health check say."""

import contextlib
import re
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from tests.integration.running import PROJECT, running, until

HEALTHCHECK = PROJECT / "conf" / "healthcheck.py"


def beat(database, moment):
    """Write the heartbeat of every worker."""
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE wm_workers SET state = 'Running', last_updated = ?", (int(moment),))


def everywhere(service, name):
    """Wait until every worker gives this as its first reason, and give the status; None: it is healthy."""

    def told():
        answers = [service.json("/api/status") for _ in range(8)]
        first = {answer["causes"][0]["name"] if answer["causes"] else None for answer in answers}
        return first == {name} and answers[0]

    return until(told, f"the reason {name}")


def healthcheck(directory):
    done = subprocess.run(
        [sys.executable, HEALTHCHECK],
        env={"RCMON_STATE_DIR": str(directory / "state"), "HEALTHCHECK_TIMEOUT": "60"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    return done.returncode, done.stderr


def check(service, directory, status, reason, on_page):
    """Wait until all places say it: on a busy machine a cycle is late now and then, and they say that."""

    def said():
        code, line = healthcheck(directory)
        page = service.curl("/")[1]
        return [
            service.json("/api/status")["status"],
            (code, reason in line),
            f'rcmon_status{{status="{status}"}} 1' in service.curl("/api/metrics")[1],
            f"health-{status}" in page,
            on_page in page,
        ]

    right = [status, (int(status == "unhealthy"), True), True, True, True]
    until(lambda: said() == right, f"{status} everywhere")


def test_every_place_says_what_an_operator_would_say(tmp_path, stack):
    options, pki = stack
    database = Path(re.search(r"sqlite:///(\S+)\"", (tmp_path / "sources.toml").read_text())[1])
    beat(database, time.time())
    options += ["--cycle-interval", "5"]  # no cycle is late, however busy the machine
    with running(tmp_path, *options, pki=pki) as service:
        everywhere(service, None)
        check(service, tmp_path, "healthy", "", 'health-ok"><b>ok</b>')

        beat(database, 1_000_000)
        status = everywhere(service, "agent_down")
        assert status["causes"][0]["what"] == "good"
        check(service, tmp_path, "unhealthy", "agent good is down", "none of its")
        assert 'health-ok"><b>' not in service.curl("/")[1]  # nothing of a dead agent is green

        beat(database, time.time())
        everywhere(service, None)
        away = database.with_suffix(".away")
        database.rename(away)
        everywhere(service, "sources_down")
        check(service, tmp_path, "unhealthy", "the only source is down", "was well")

        away.rename(database)
        everywhere(service, None)
        check(service, tmp_path, "healthy", "", 'health-ok"><b>ok</b>')

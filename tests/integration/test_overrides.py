"""Overrides over a whole service: what was answered is there, whatever dies; and the README's lines."""

import json
import os
import re
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

from tests.docs.texts import blocks, chapter, section
from tests.integration.running import Service, children, running, until

JSON = ("-H", "Content-Type: application/json")
GRID = ("--demo", "--synthetic", "20x2")
TESTBED = "T3_XX_"
"""How the names of the sites begin where the demo's own operator has set something."""


def put(service: Service, site: str, said: object, *conditions: str) -> tuple[int, str]:
    options = [*JSON, "-X", "PUT", "-d", json.dumps(said)]
    for condition in conditions:
        options += ["-H", condition]
    return service.curl(f"/api/sites/{site}/override", *options, who="operator")


def kill_all(service: Service) -> None:
    for process in children(service.process.pid):
        os.kill(process, signal.SIGKILL)


def journal(service: Service) -> list[Any]:
    entries: list[Any] = service.json("/api/journal?kind=override&limit=1000")["entries"]
    return entries[::-1]


def test_what_was_answered_is_kept_and_once_in_the_journal_whatever_dies(tmp_path: Path) -> None:
    """Killed while operators write: each asks again until it has an answer."""
    with running(tmp_path, *GRID, "--workers", "2") as service:
        sites = [site["name"] for site in service.json("/api/sites")["sites"]][:4]
        answered: dict[str, list[int]] = {site: [] for site in sites}
        done = threading.Event()

        def operate(site: str) -> None:
            condition, slots = "If-None-Match: *", 0
            while not done.is_set():
                said = {"running_slots": 100_000 + slots, "mode": "latched", "reason": "r"}
                status, body = put(service, site, said, condition)
                if status in (200, 201):
                    answered[site].append(slots)
                    condition, slots = f'If-Match: "{json.loads(body)["etag"]}"', slots + 1
                else:
                    assert status in (0, 503), (status, body)

        operators = [threading.Thread(target=operate, args=(site,)) for site in sites]
        for operator in operators:
            operator.start()
        try:
            for _ in range(3):
                before = sum(map(len, answered.values()))
                until(lambda before=before: sum(map(len, answered.values())) > before + 8, "more answers")
                kill_all(service)
        finally:
            until(service.serves_everywhere, "the workers to serve again")
            done.set()
            for operator in operators:
                operator.join()
        told = {
            one["site"]: one["running_slots"] - 100_000 for one in service.json("/api/overrides")["overrides"]
        }
        assert told == {site: slots[-1] for site, slots in answered.items()}
        entries = journal(service)
        for site, slots in answered.items():
            made = [one["new"]["running_slots"] - 100_000 for one in entries if one["site"] == site]
            assert made == slots == list(range(len(slots)))
        assert [one["new"]["version"] for one in entries] == list(range(1, len(entries) + 1))
        service.process.kill()
        service.process.wait()
    with running(tmp_path, *GRID, "--workers", "1") as service:
        again = {
            one["site"]: one["running_slots"] - 100_000 for one in service.json("/api/overrides")["overrides"]
        }
        assert again == told


def test_an_override_is_in_the_next_snapshot_and_ends_by_itself(tmp_path: Path) -> None:
    with running(tmp_path, *GRID, "--workers", "1", "--cycle-interval", "1") as service:
        site = service.json("/api/sites")["sites"][0]["name"]
        assert put(service, site, {"state": "Down", "reason": "r"}, "If-None-Match: *")[0] == 201
        until(lambda: service.json("/api/status")["overrides"]["until"] == 1, "the snapshot to have it")
        assert service.curl("/overrides")[1].count(f'id="override-{site}-"') == 1
        etag = service.json(f"/api/sites/{site}/override")["etag"]

        def let_it_end_soon() -> bool:
            now = service.json("/api/status")["now"][:19]  # its second may be over by then: tried again
            said = {"state": "Down", "until": f"{now}.999Z", "reason": "r"}
            return put(service, site, said, f'If-Match: "{etag}"')[0] == 200

        until(let_it_end_soon, "an end to come")
        until(lambda: service.json("/api/overrides")["total"] == 0, "its end")
        last = journal(service)[-1]
        assert (last["new"], last["by"]) == (None, None)
        assert last["cause"].startswith("its time is over")
        until(lambda: service.json("/api/status")["overrides"]["until"] == 0, "the snapshot without it")


def test_the_readmes_lines_do_what_it_says(tmp_path: Path) -> None:
    text = section(chapter("steering"), "## Overrides")
    script = "\n".join(blocks(text, "sh"))
    with running(tmp_path, "--demo", "--workers", "1") as service:
        script = script.replace("var/demo/pki", str(service.pki)).replace(":5000", f":{service.port}")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        left = service.json("/api/overrides")["overrides"]
        assert [one for one in left if not one["site"].startswith(TESTBED)] == [
            service.json("/api/agents/vocms0281/sites/T2_CH_CERN/override")
        ]
        told = [
            (one["site"], one["agent"], re.sub(r"change \d+", "change N", one["cause"].partition(",")[0]))
            for one in journal(service)
            if not one["site"].startswith(TESTBED)
        ]
        assert told == [
            ("T2_CH_CERN", None, "set"),
            ("T2_CH_CERN", None, "set"),
            ("T2_CH_CERN", "vocms0281", "set"),
            ("T1_US_FNAL", None, "set together"),
            ("T2_CH_CERN", "vocms0281", "set together"),
            ("T1_US_FNAL", None, "change N was undone: the farm is whole"),
            ("T2_CH_CERN", "vocms0281", "change N was undone: the farm is whole"),
            ("T2_CH_CERN", None, "ended"),
        ]

"""The README's lines on quarantines and weights: each is run, on the demo."""

import json
import subprocess
from pathlib import Path

from tests.docs.texts import blocks, chapter, section
from tests.integration.running import Service, running, until

MADE_UP = "leaving-0123456789abcdef"


def lines() -> tuple[str, list[str]]:
    """Give the functions that the README's lines use, and the lines."""
    text = chapter("steering")
    functions = blocks(section(text, "## Overrides"), "sh")[0].partition('op "$api')[0]
    steps = blocks(text.partition("\n## ")[0], "sh")
    return functions, [line for block in steps for line in block.splitlines()]


def told(service: Service, command: str) -> tuple[int, str]:
    command = command.replace("var/demo/pki", str(service.pki)).replace(":5000", f":{service.port}")
    done = subprocess.run(["bash", "-uc", command], capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, done.stdout


def has_plan(service: Service) -> bool:
    status, body = service.curl("/api/agents/vocms0281/control")
    return status == 200 and json.loads(body)["problem"] is None


def test_the_readmes_lines_decide_and_share(tmp_path: Path) -> None:
    functions, steps = lines()
    assert len(steps) == 7
    control = tmp_path / "control.toml"
    control.write_text('[control]\nmode = "advise"\n')
    control.chmod(0o600)
    with running(tmp_path, "--demo", "--workers", "1", "--control-file", str(control)) as service:
        until(lambda: has_plan(service), "a control document")
        answers = [told(service, functions + line) for line in steps]
        held = {one["cause"] for one in json.loads(answers[0][1])["quarantine"]}
        assert held <= {"no_cores"}, answers  # which the demo's board brings about in a while
        for code, body in answers[1:3]:
            assert code == 22  # curl's for an answer of 400 and more
            assert (json.loads(body)["status"], MADE_UP in body) == (404, True)
        assert [code for code, _ in answers[3:]] == [0, 0, 0, 0], answers
        weights = service.json("/api/journal?kind=weight")["entries"][::-1]
        assert [(one["site"], one["new"] and one["new"]["weight"]) for one in weights] == [
            (None, 0.1),
            ("T2_CH_CERN", 0),
            (None, None),
        ]
        assert json.loads(answers[-1][1])["agent"] == "vocms0281"

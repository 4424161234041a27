import re
import subprocess
from pathlib import Path

from tests.servers import need

TOP = Path(__file__).parents[2]


def test_ci_runs_the_readmes_own_test_command() -> None:
    found = subprocess.run(
        [need("grep"), "-m", "1", "-e", "-m pytest$", "README.md"],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == (
        "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/python -m pytest"
    )
    assert "grep -m 1 -e '-m pytest$' README.md" in (TOP / ".ci" / "run").read_text()


def test_ci_script_is_sound_and_executable() -> None:
    script = TOP / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    subprocess.run([need("bash"), "-n", script], check=True)


def test_image_is_built_from_files_that_there_are_and_does_not_run_as_root() -> None:
    lines = (TOP / "conf" / "Dockerfile").read_text().splitlines()
    copied = [
        source
        for line in lines
        if line.startswith("COPY ") and "--from=" not in line
        for source in line.split()[1:-1]
    ]
    assert "rcmon" in copied
    for source in copied:
        assert (TOP / source).exists(), source
    allowed = re.findall(r"^!(.+)$", (TOP / "conf" / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert set(allowed) == set(copied)
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users == ["10001:10001"]


def test_tests_run_on_every_python_that_is_supported() -> None:
    text = (TOP / ".github" / "workflows" / "tests.yml").read_text()
    assert 'python: ["3.11", "3.12", "3.13", "3.14"]' in text
    assert 'requires-python = ">=3.11"' in (TOP / "pyproject.toml").read_text()

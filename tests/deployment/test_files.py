import re
import subprocess
import tomllib
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


def test_the_licence_goes_with_the_package() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"
    assert project["license-files"] == ["rcmon/LICENSE"]
    text = (TOP / "rcmon" / "LICENSE").read_text()
    assert "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert (TOP / ".github" / "SECURITY.md").is_file()


def test_what_is_said_about_pip_works_from_a_clone() -> None:
    """rcmon is on no index: `pip install rcmon` would take whatever is called so."""
    extras = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    files = [
        TOP / "README.md",
        *filter(Path.is_file, TOP.glob("conf/**/*")),
        *TOP.glob("rcmon/**/*.py"),
        *TOP.glob("rcmon/docs/*.md"),
    ]
    texts = [file.read_text() for file in files if file.suffix != ".pyc"]
    lines = [line for text in texts for line in text.splitlines() if "pip install" in line]
    assert lines
    for line in lines:
        what = line.split("pip install", 1)[1]
        assert not re.match(r"[-\s\w]*'?rcmon", what), line
        for names in re.findall(r"\.\[([a-z,]+)\]", what):
            assert set(names.split(",")) <= extras.keys(), line

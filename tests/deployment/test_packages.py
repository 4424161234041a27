"""What is released: a wheel and a source distribution, and the versions that an installation is held to."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from rcmon.config import example_names
from rcmon.version import VERSION

TOP = Path(__file__).parents[2]
CONF = {
    path.relative_to(TOP / "conf")
    for path in (TOP / "conf").rglob("*")
    if path.is_file() and path.suffix != ".pyc"  # what another test's import leaves
}
DOCS = {str(path.relative_to(TOP)) for path in (TOP / "rcmon" / "docs").glob("*.md")}
LOCK = (TOP / "conf" / "requirements.txt").read_text()


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=TOP, check=True, capture_output=True)
    return folder


def test_the_wheel_has_examples_and_licence_and_no_tests(packages: Path) -> None:
    with zipfile.ZipFile(packages / f"rcmon-{VERSION}-py3-none-any.whl") as wheel:
        names = set(wheel.namelist())
        for path in CONF:
            assert wheel.read(f"rcmon/config/examples/{path}") == (TOP / "conf" / path).read_bytes()
        licence = wheel.read(f"rcmon-{VERSION}.dist-info/licenses/rcmon/LICENSE").decode()
    assert "Apache License" in licence
    assert {"rcmon/LICENSE", "rcmon/web/page/static/vendor/uplot.js"} | DOCS <= names
    assert {name.partition("/")[0] for name in names} == {"rcmon", f"rcmon-{VERSION}.dist-info"}


def test_the_source_is_all_that_a_build_and_the_tests_need(packages: Path) -> None:
    with tarfile.open(packages / f"rcmon-{VERSION}.tar.gz") as source:
        names = {name.partition("/")[2] for name in source.getnames()}
    wanted = {f"conf/{path}" for path in CONF} | {"run.py", "README.md", "pyproject.toml", "rcmon/LICENSE"}
    assert wanted | DOCS | {"tests/conftest.py", ".ci/run"} <= names
    assert not any(name.startswith((".venv", "var/")) for name in names)


def test_an_installed_package_prints_its_examples(packages: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(packages / f"rcmon-{VERSION}-py3-none-any.whl") as wheel:
        wheel.extractall(tmp_path)

    def asked(name: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-P", "-m", "rcmon", "--print-example", name]
        given = {"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin"}
        return subprocess.run(command, cwd=tmp_path, env=given, capture_output=True, text=True, check=False)

    for name in ("sources.toml", "prometheus/alerts.yml"):
        done = asked(name)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == (TOP / "conf" / name).read_text()
    done = asked("../cli.py")
    assert (done.returncode, done.stdout) == (78, "")
    assert "there is no '../cli.py'; there are " in done.stderr
    assert "grafana/grid.json" in done.stderr


def test_examples_are_all_files_of_conf() -> None:
    assert example_names() == sorted(map(str, CONF))


def test_every_dependency_is_locked_with_hashes_to_a_version_that_is_allowed() -> None:
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", LOCK, re.MULTILINE))
    blocks = re.split(r"\n(?=[a-z0-9-]+==)", "\n" + LOCK)[1:]
    assert len(blocks) == len(locked)
    assert all("--hash=sha256:" in block for block in blocks)
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for written in [*project["dependencies"], *extras["mysql"], *extras["postgres"], *extras["oracle"]]:
        wanted = Requirement(written)
        assert wanted.specifier.contains(locked[wanted.name]), written

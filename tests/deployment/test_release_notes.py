import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import need

SCRIPT = Path(__file__).parents[2] / ".github" / "release_notes.py"


class Repository:
    """A repository with commits and tags."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> None:
        settings = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
        command = [need("git"), *settings, *arguments]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)

    def commit(self, message: str) -> None:
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def release(self, version: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n')
        self.git("tag", f"v{version}")
        return self.notes(f"v{version}")

    def notes(self, tag: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, SCRIPT, tag], cwd=self.folder, capture_output=True, text=True, check=False
        )


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def shape(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines without the commits' names."""
    assert done.returncode == 0, done.stderr
    return [line.rpartition(" (")[0] or line for line in done.stdout.splitlines() if line]


def test_commits_stand_by_category_in_a_fixed_order(repository: Repository) -> None:
    for message in [
        "fix: count each job once",
        "chore: lay the foundation",
        "feat(web): a page",
        "what is this",
        "feat: serve sites",
        "perf: render once",
        "test: hold it",
    ]:
        repository.commit(message)
    assert shape(repository.release("0.1.0")) == [
        "## New",
        "- **web**: a page",
        "- serve sites",
        "## Fixed",
        "- count each job once",
        "## Faster",
        "- render once",
        "## Inside",
        "- lay the foundation",
        "- hold it",
        "## Other",
        "- what is this",
    ]


def test_only_what_came_since_the_tag_before(repository: Repository) -> None:
    repository.commit("feat: old")
    repository.release("0.1.0")
    repository.commit("feat: new")
    repository.git("tag", "not-a-release")
    repository.commit("fix: newer")
    assert shape(repository.release("0.2.0")) == ["## New", "- new", "## Fixed", "- newer"]


def test_what_breaks_comes_first_with_its_reason(repository: Repository) -> None:
    repository.commit("feat!: another shape of sites")
    repository.commit("fix: times\n\nDetails.\n\nBREAKING CHANGE: times are\nISO 8601 now\n\nRefs: x")
    assert shape(repository.release("1.0.0")) == [
        "## Breaking",
        "- another shape of sites",
        "- times are ISO 8601 now",
        "## New",
        "- another shape of sites",
        "## Fixed",
        "- times",
    ]


def test_a_tag_that_is_not_the_version_is_refused(repository: Repository) -> None:
    repository.commit("feat: x")
    repository.release("1.0.0")
    repository.git("tag", "v1.0.1")
    done = repository.notes("v1.0.1")
    assert done.returncode == 1
    assert "'v1.0.1' is not the version in pyproject.toml, '1.0.0'" in done.stderr

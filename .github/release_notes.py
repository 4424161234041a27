"""Write the release notes of a tag from the conventional commits since the tag before it, by category.

`python .github/release_notes.py v1.2.3` prints Markdown. It refuses a tag that is not the version in
pyproject.toml, which is the one source of truth.
"""
# ruff: noqa: INP001, T201 - a script whose output is what it prints

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

CATEGORIES = {
    "feat": "New",
    "fix": "Fixed",
    "perf": "Faster",
    "deps": "Dependencies",
    "docs": "Documentation",
    "refactor": "Inside",
    "test": "Inside",
    "chore": "Inside",
    "ci": "Inside",
    "build": "Inside",
    "style": "Inside",
    "revert": "Taken back",
}
OTHER = "Other"
BREAKING = "Breaking"
ORDER = (BREAKING, *dict.fromkeys(CATEGORIES.values()), OTHER)
_SUBJECT = re.compile(r"(?P<type>[a-z]+)(\((?P<scope>[^()]+)\))?(?P<breaking>!)?: (?P<text>.+)")
_BREAKING_FOOTER = re.compile(r"^BREAKING[ -]CHANGE: (?P<text>.+(?:\n(?!\n).+)*)", re.MULTILINE)


class Commit(NamedTuple):
    """One commit: its abbreviated name, its subject and the rest of its message."""

    name: str
    subject: str
    body: str


def main(tag: str) -> str | None:
    """Print the notes; what is wrong, or None."""
    version = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if tag.removeprefix("v") != version:
        return f"the tag {tag!r} is not the version in pyproject.toml, {version!r}"
    print(notes(commits(tag)), end="")
    return None


def commits(tag: str) -> list[Commit]:
    """List the commits that the tag has and the tag before it has not, oldest first."""
    before = git("describe", "--tags", "--abbrev=0", "--match=v[0-9]*", f"{tag}^", check=False).strip()
    span = f"{before}..{tag}" if before else tag
    log = git("log", "--no-merges", "--reverse", "--format=%h%x1f%s%x1f%b%x1e", span)
    return [Commit(*record.strip("\n").split("\x1f")) for record in log.split("\x1e") if record.strip("\n")]


def git(*arguments: str, check: bool = True) -> str:
    """Run git and give its output; empty where it fails and may."""
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607
    if done.returncode and check:
        sys.exit(done.stderr)
    return "" if done.returncode else done.stdout


def notes(found: Iterable[Commit]) -> str:
    """Write the notes: a section for each category that has commits."""
    sections: dict[str, list[str]] = {}
    for commit in found:
        for category, line in _lines(commit):
            sections.setdefault(category, []).append(f"- {line} ({commit.name})")
    parts = [
        f"## {category}\n\n" + "\n".join(sections[category]) for category in ORDER if category in sections
    ]
    return "\n\n".join(parts or ["No changes."]) + "\n"


def _lines(commit: Commit) -> Iterator[tuple[str, str]]:
    """Give the lines of one commit, each with its category."""
    match = _SUBJECT.fullmatch(commit.subject)
    if match is None or match["type"] not in CATEGORIES:
        yield OTHER, commit.subject
        return
    text = f"**{match['scope']}**: {match['text']}" if match["scope"] else match["text"]
    footer = _BREAKING_FOOTER.search(commit.body)
    if footer:
        yield BREAKING, " ".join(footer["text"].split())
    elif match["breaking"]:
        yield BREAKING, text
    yield CATEGORIES[match["type"]], text


if __name__ == "__main__":
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and the tag
        sys.exit("usage: release_notes.py TAG")
    sys.exit(main(sys.argv[1]))

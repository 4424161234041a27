"""No link leads nowhere: where the project lies, and as pages are served, which is what test_docs.py asks."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from rcmon.docs.markdown import anchor
from tests.docs.texts import CHAPTERS, DOCS, FILES, README

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def prose(path: Path) -> str:
    """Leave out what is fenced."""
    return re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)


def links(path: Path) -> Iterator[str]:
    """Give every link, but what only looks like one, between backticks."""
    yield from LINK.findall(re.sub(r"`[^`\n]*`", "", prose(path)))


def anchors(path: Path) -> list[str]:
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return [anchor(heading.replace("`", "")) for heading in headings]


def astray(path: Path) -> list[str]:
    """List the links of a file that lead nowhere."""
    found = []
    for link in links(path):
        target, _, place = link.partition("#")
        there = path.parent / target if target else path
        if link.startswith("https://"):
            continue
        if not there.is_file() or (place and place not in anchors(there)):
            found.append(link)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_link_leads_nowhere(path: Path) -> None:
    assert astray(path) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
def test_a_chapter_links_to_chapters_only(path: Path) -> None:
    """A service serves nothing else of the project."""
    for link in links(path):
        assert link.startswith(("#", "https://")) or (DOCS / link.partition("#")[0]) in CHAPTERS, link


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_two_headings_have_one_anchor(path: Path) -> None:
    """Hosts of code would tell them apart by a number, which pages do not."""
    assert len(set(anchors(path))) == len(anchors(path))


def test_readme_and_index_lead_to_every_chapter() -> None:
    chapters = {path for path in CHAPTERS if path.name != "README.md"}
    for path in (README, DOCS / "README.md"):
        assert chapters <= {(path.parent / link.partition("#")[0]).resolve() for link in links(path)}, path


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# A\n\n[a](#a) [b](b.md) [b](b.md#bee-and-more) `[c](c.md)`\n")
    (tmp_path / "b.md").write_text("# B\n\n## `Bee`, and more\n\n[c](c.md) [a](a.md#b) [here](#there)\n")
    assert astray(tmp_path / "a.md") == []
    assert astray(tmp_path / "b.md") == ["c.md", "a.md#b", "#there"]

"""The chapters as they stand in this folder's files, made into what pages show."""

import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from rcmon.docs.markdown import ChapterHeading, written

HERE = Path(__file__).parent
INDEX = "README"
"""Name of the file that lists all others, as hosts of code show it with the folder."""
_NAMED = re.compile(r"\]\(([a-z]+)\.md\)")


class Chapter(Struct, frozen=True):
    """One page."""

    name: str
    title: str
    html: str
    headings: tuple[ChapterHeading, ...]
    """Those below the title."""


class Docs(Struct, frozen=True):
    """All of it."""

    index: Chapter
    chapters: Mapping[str, Chapter]
    """By name, in the order in which the index names them."""


def docs(base: str) -> Docs:
    """Make every page; `base` is the path that they are served below.

    Raises FileNotFoundError where the index names what is not there.
    """
    named = dict.fromkeys(_NAMED.findall(_text(INDEX)))
    return Docs(_chapter(INDEX, base), {name: _chapter(name, base) for name in named})


def _chapter(name: str, base: str) -> Chapter:
    html, (title, *below) = written(_text(name), base)
    return Chapter(name, title.text, html, tuple(below))


def _text(name: str) -> str:
    return (HERE / f"{name}.md").read_text(encoding="utf-8")

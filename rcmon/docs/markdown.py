"""From Markdown to HTML: no HTML passes through, nothing is styled in place, tables fit telephones."""

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token
from msgspec import Struct

_MARK = re.compile(r"^<!-- /?[a-z]+ -->\n", re.MULTILINE)
"""What stands around a table that is written from the code."""
_CHAPTER = re.compile(r"([A-Za-z]+)\.md(#.*)?")


class ChapterHeading(Struct, frozen=True):
    """A heading, and the anchor by which it is linked to."""

    level: int
    """1 is the title."""
    text: str
    anchor: str


def written(text: str, base: str) -> tuple[str, Sequence[ChapterHeading]]:
    """Give the HTML of a text, and its headings; links to other chapters lead below `base`."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    writing = _Writing(base)
    tokens = [made for token in parser.parse(_MARK.sub("", text)) for made in writing.take(token)]
    return parser.renderer.render(tokens, parser.options, {}), writing.headings


def anchor(text: str) -> str:
    """Name a heading's anchor as hosts of code do, so that a link holds there and here."""
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


class _Writing:
    """Goes through one text once, and gives its tokens as they are to be written."""

    def __init__(self, base: str) -> None:
        self.headings: list[ChapterHeading] = []
        self._base = base
        self._before: Token | None = None
        self._tables = 0
        self._columns: list[str] = []
        self._column = 0

    def take(self, token: Token) -> Iterator[Token]:
        """Give what stands for a token."""
        before, self._before = self._before, token
        match token.type:
            case "inline" if before:
                self._inline(token, before)
            case "table_open":
                self._tables += 1
                self._columns.clear()
                token.attrSet("class", "plain")
                label = f'aria-label="Table {self._tables}"'
                yield _raw(f'<div class="scroll" role="region" tabindex="0" {label}>\n')
            case "tr_open":
                self._column = 0
            case "th_open" | "td_open":
                self._cell(token)
            case "fence" | "code_block":
                token = _raw(f'<pre tabindex="0"><code>{escapeHtml(token.content)}</code></pre>\n')
        yield token
        if token.type == "table_close":
            yield _raw("</div>\n")

    def _cell(self, token: Token) -> None:
        """Leave styles to style sheets, and let a cell say what it is where its heading is out of sight."""
        if "right" in str(token.attrs.pop("style", "")):
            token.attrSet("class", "num")
        if token.type == "td_open":
            token.attrSet("data-label", self._columns[self._column])
            self._column += 1
        else:
            token.attrSet("scope", "col")

    def _inline(self, token: Token, before: Token) -> None:
        text = "".join(one.content for one in token.children or ())
        if before.type == "heading_open":
            heading = ChapterHeading(int(before.tag.removeprefix("h")), text, anchor(text))
            self.headings.append(heading)
            before.attrSet("id", heading.anchor)
        elif before.type == "th_open":
            self._columns.append(text)
        for one in token.children or ():
            if one.type == "link_open":
                one.attrSet("href", self._address(str(one.attrGet("href"))))

    def _address(self, link: str) -> str:
        found = _CHAPTER.fullmatch(link)
        if found is None:
            return link
        name = "" if found[1] == "README" else found[1]
        return f"{self._base}/{name}{found[2] or ''}"


def _raw(html: str) -> Token:
    return Token("html_block", "", 0, content=html)

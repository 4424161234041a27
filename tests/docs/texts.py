"""The documentation: the README and the chapters, and the commands that stand in them."""

import re
from pathlib import Path

TOP = Path(__file__).parents[2]
README = TOP / "README.md"
DOCS = TOP / "rcmon" / "docs"
CHAPTERS = sorted(DOCS.glob("*.md"))
FILES = [README, *CHAPTERS]


def chapter(name: str) -> str:
    return (DOCS / f"{name}.md").read_text()


def section(text: str, heading: str) -> str:
    """Give what stands below a heading such as `## Events`, up to the next that is as high or higher."""
    level = len(heading) - len(heading.lstrip("#"))
    _, found, rest = f"\n{text}".partition(f"\n{heading}\n")
    assert found, heading
    kept: list[str] = []
    within = False
    for line in rest.splitlines(keepends=True):
        within ^= line.startswith("```")
        if not within and re.match(rf"#{{1,{level}}} ", line):
            break
        kept.append(line)
    return "".join(kept)


def blocks(text: str, language: str) -> list[str]:
    """Give what is fenced as of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)

"""The documentation as it is served: every chapter, whole, with links that hold."""

import html
import re
from pathlib import Path

import pytest

from rcmon.web.about import BASE
from tests.docs.texts import CHAPTERS
from tests.web.page.test_page import Page
from tests.web.serving import Serving

NAMES = [path.stem for path in CHAPTERS if path.stem != "README"]
PATHS = ["/docs/", *(f"/docs/{name}" for name in NAMES)]


async def body(service: Serving, path: str) -> str:
    answer = await service.ask(path)
    assert answer.code == 200, (path, answer.body)
    return answer.body.decode()


async def test_the_index_and_the_pages_lead_to_every_chapter(service: Serving) -> None:
    wanted = {f"{BASE}/docs/{name}" for name in NAMES}
    for path in PATHS:
        assert wanted <= {link["href"] for link in Page(await body(service, path)).all("a")}, path
    assert await body(service, "/docs")


async def test_no_link_and_no_anchor_leads_nowhere(service: Serving) -> None:
    pages = {f"{BASE}{path}": Page(await body(service, path)) for path in PATHS}
    anchors = {
        path: {given["id"] for _, given in page.elements if given.get("id")} for path, page in pages.items()
    }
    for path, page in pages.items():
        for link in (given["href"] or "" for given in page.all("a") if "href" in given):
            if link.startswith("https://"):
                continue
            target, _, place = link.partition("#")
            if place:
                assert place in anchors[target or path], (path, link)
            elif target not in pages:
                assert (await service.ask(target.removeprefix(BASE))).code == 200, (path, link)


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_is_what_a_browser_shows_under_our_policy(service: Serving, path: str) -> None:
    page = Page(await body(service, path))
    assert not [given for _, given in page.elements if "style" in given]
    identifiers = [given["id"] for _, given in page.elements if "id" in given]
    assert len(set(identifiers)) == len(identifiers)
    assert len(page.all("h1")) == 1


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
async def test_all_that_a_chapter_says_is_shown(service: Serving, path: Path) -> None:
    """Each block of code, and each line by its first words."""
    name = path.stem if path.stem != "README" else ""
    shown = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", await body(service, f"/docs/{name}"))))
    text = path.read_text()
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        assert re.sub(r"\s+", " ", block) in shown
    rest = re.sub(r"^```.*?^```|^<!--.*?-->$", "", text, flags=re.DOTALL | re.MULTILINE)
    for words in re.findall(r"^ *(?:- |\d+\. )?([A-Za-z][\w ,.:;'-]{7,})", rest, re.MULTILINE):
        assert re.sub(r"\s+", " ", words).strip() in shown


async def test_what_is_no_chapter_is_not_found(service: Serving) -> None:
    for name in ("nothing", "README", "..%2FREADME", "chapters.py", "terminal.md"):
        assert (await service.ask(f"/docs/{name}")).code == 404, name

"""Names tell contents: what is under a name never changes, and a script's imports are of its version."""

import re
from pathlib import Path

import pytest

from rcmon.web.about import BASE
from rcmon.web.page.assets import STATIC, Assets
from rcmon.web.page.pages import TEMPLATES
from tests.web.serving import Serving


def made(directory: Path, **files: str) -> Assets:
    for name, text in files.items():
        (directory / f"{name}.js").write_text(text)
    return Assets(directory)


def test_a_name_changes_with_the_content_of_what_a_script_imports(tmp_path: Path) -> None:
    before = made(tmp_path, a='import { b } from "./b.js";', b="export const b = 1;", c="1")
    first = {name: before.url(name) for name in ("a.js", "b.js", "c.js")}
    after = made(tmp_path, b="export const b = 2;")
    assert {name for name, url in first.items() if after.url(name) != url} == {"a.js", "b.js"}
    script = before.script("a.js")
    assert re.findall(r'(?:src|href)="(.+?)"', script) == [first["a.js"], first["b.js"]]


def test_a_script_finds_what_it_imports(tmp_path: Path) -> None:
    assets = made(tmp_path, a='import { b } from "./b.js"; export { c } from "./c.js";', b="", c="")
    ready = assets.get(assets.url("a.js").rpartition("/")[2])
    assert ready is not None
    named = re.findall(r'"\./(.+?)"', b"".join(ready.body.chunks()).decode())
    assert [f"{BASE}/static/{name}" for name in named] == [assets.url("b.js"), assets.url("c.js")]


def test_a_style_sheet_has_those_that_it_imports_in_it_each_once(tmp_path: Path) -> None:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "base.css").write_text("a {}\n")
    (tmp_path / "vendor" / "other.css").write_text('@import "./base.css";\nb {}\n')
    (tmp_path / "page.css").write_text('@import "./base.css";\n@import "./vendor/other.css";\nc {}\n')
    assets = Assets(tmp_path)
    ready = assets.get(assets.url("page.css").rpartition("/")[2])
    assert ready is not None
    assert b"".join(ready.body.chunks()) == b"a {}\nb {}\nc {}\n"
    before = assets.url("page.css")
    (tmp_path / "base.css").write_text("a { color: red }\n")
    assert Assets(tmp_path).url("page.css") != before


def test_a_page_waits_for_one_style_sheet() -> None:
    for template in TEMPLATES.iterdir():
        assert template.read_text().count('rel="stylesheet"') <= 1, template


@pytest.mark.parametrize("text", ['@import "./page.css";\n', '@import "./nowhere.css";\n'])
def test_style_sheets_that_cannot_be_are_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "page.css").write_text(text)
    with pytest.raises(ValueError, match=r"page\.css -> page\.css|page\.css imports nowhere\.css"):
        Assets(tmp_path)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a": 'import "./b.js";', "b": 'import "./a.js";'}, "imports go in a circle: a.js -> b.js -> a.js"),
        ({"a": 'import "./b.js";'}, "a.js imports b.js, which is not there"),
    ],
)
def test_imports_that_cannot_be_are_an_error(tmp_path: Path, files: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made(tmp_path, **files)


def test_two_files_of_one_name_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "a.js").write_text("")
    with pytest.raises(ValueError, match=r"two files are called a\.js"):
        made(tmp_path, a="")


def test_what_others_wrote_comes_with_its_version_and_licence() -> None:
    for path in (STATIC / "vendor").iterdir():
        head = path.read_text()[:2000]
        assert re.search(r"\d+\.\d+\.\d+, https://", head), path
        assert "THE SOFTWARE IS PROVIDED" in head, path


async def test_what_never_changes_is_kept_and_what_another_version_names_is_asked_for_anew(
    service: Serving,
) -> None:
    url = Assets().url("style.css").removeprefix(BASE)
    kept = await service.ask(url)
    assert kept.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    name = url.rpartition("/")[2]
    other = await service.ask(url.replace(name, "style.0123456789ab.css"))
    assert (other.code, other.body) == (200, kept.body)
    assert other.headers["Cache-Control"] == "private, no-cache"
    assert (await service.ask("/static/style.other.css")).code == 404

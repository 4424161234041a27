"""Everybody can use the page: axe, run in Chromium on what the service sends, finds nothing wrong."""

import html
import re
import subprocess
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest
from msgspec import structs
from tornado.ioloop import IOLoop

from rcmon.web.page.assets import STATIC
from tests.servers import need
from tests.web.grid import make_snapshot
from tests.web.page.test_page import working
from tests.web.serving import Serving

AXE = files("axe_core_python").joinpath("axe.min.js")
RUN = """
axe.run(document, {resultTypes: ["violations"]}).then(result => {
  const told = each => each.id + ": " + each.nodes.map(node => node.target).join(", ");
  const found = result.violations.map(told);
  document.documentElement.innerHTML = "<body><pre></pre></body>";
  document.querySelector("pre").textContent = "AXE" + JSON.stringify([result.passes.length, found]) + "END";
});
"""


def whole(page: str, scheme: str) -> str:
    """Put style and axe into a page: from a file nothing else is read."""
    style = "".join((STATIC / name).read_text() for name in ("style.css", "overview.css"))
    if scheme == "dark":
        page = page.replace('content="light dark"', 'content="dark"')
        style = style.replace("screen and (prefers-color-scheme: dark)", "all")
        style = style.replace("color-scheme: light dark", "color-scheme: dark")
    page = re.sub(r'<link rel="stylesheet"[^>]*>', "", page)
    page, count = re.subn("</head>", lambda _: f"<style>{style}</style></head>", page)
    assert count == 1
    return page.replace("</body>", f"<script>{AXE.read_text()}</script><script>{RUN}</script></body>")


def violations(page: str, scheme: str, directory: Path) -> list[str]:
    """Let axe look at a page."""
    path = directory / "page.html"
    path.write_text(whole(page, scheme))
    done = subprocess.run(
        [
            need("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            f"--user-data-dir={directory / 'profile'}", "--virtual-time-budget=60000", "--dump-dom",
            path.as_uri(),
        ],
        capture_output=True, text=True, check=True, timeout=180,
    )  # fmt: skip
    said = re.search("AXE(.*)END", done.stdout, re.DOTALL)
    assert said is not None, done.stderr
    passes, found = msgspec.json.decode(html.unescape(said[1]), type=tuple[int, list[str]])
    assert passes > 0
    return found


async def pages(service: Serving) -> list[str]:
    """Ask for the page in good and in bad times, with a refused query, and for the page of a refusal."""
    snapshot = make_snapshot()
    agents = {
        name: structs.replace(snapshot.agents[name], components=components, drain=True)
        for name, components in zip(
            snapshot.agents, (working(None, 2), working("silent", 2), working("silent", 0)), strict=True
        )
    }
    await service.publish(structs.replace(snapshot, agents=agents))
    made = [await service.ask("/?tier=T7"), await service.ask("/", "stranger", Accept="text/html")]
    await service.publish(structs.replace(snapshot, agents={}, sources=snapshot.sources[:2]))
    made.append(await service.ask("/?site=fnal"))
    assert [answer.code for answer in made] == [400, 403, 200]
    return [answer.body.decode() for answer in made]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(service: Serving, io_loop: IOLoop, tmp_path: Path, scheme: str) -> None:
    for number, page in enumerate(io_loop.run_sync(lambda: pages(service), timeout=300)):
        directory = tmp_path / str(number)
        directory.mkdir()
        assert violations(page, scheme, directory) == []


def test_axe_would_find_what_cannot_be_read(tmp_path: Path) -> None:
    page = '<html lang="en"><head><link rel="stylesheet" href="x"></head><body><img src="x"></body></html>'
    assert any(found.startswith("image-alt") for found in violations(page, "light", tmp_path))

"""A page of another site, in the browser of an operator, changes nothing: the certificate is sent unasked."""

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Enter
from tests.browser.site import Site
from tests.web.pki import HOST

FORM = """<!DOCTYPE html><title>other</title>
<form method="post" enctype="text/plain" action="{url}">
<input name='{{"reason": "' value='forged"}}'></form>"""
FETCH = """async ([url, method, type, mode]) => {
  try {
    const answer = await fetch(url, {method, mode, credentials: "include",
      headers: type ? {"Content-Type": type, "If-None-Match": "*"} : {},
      body: JSON.stringify({reason: "forged", state: "Down"})});
    return `${answer.type} ${answer.status}`;
  } catch (error) { return "refused by the browser"; }
}"""


class Other:
    """Another site, over TLS, that answers any request with one page."""

    def __init__(self, site: Site, directory: Path) -> None:
        self._site = site
        self.page = b""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        path = HOST.write(directory / "other.pem")
        context.load_cert_chain(path)
        self._context = context
        self.port = site.run(self._begin)

    async def _begin(self) -> int:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0, ssl=self._context)
        return int(self._server.sockets[0].getsockname()[1])

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(self.page)}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + self.page)
        await writer.drain()
        writer.close()

    def end(self) -> None:
        self._site.run(self._end)

    async def _end(self) -> None:
        self._server.close()


@pytest.fixture
def other(site: Site, tmp_path: Path) -> Iterator[Other]:
    made = Other(site, tmp_path)
    yield made
    made.end()


def state(page: Page, site: Site) -> list[object]:
    """Give all that can be changed, as the operator reads it."""
    paths = ("/api/overrides", "/api/findings", "/api/journal", "/api/quarantine")
    return [page.request.get(site.url(path)).text() for path in paths]


def test_a_page_of_another_site_changes_nothing(enter: Enter, site: Site, other: Other) -> None:
    context = enter("operator")
    page = context.new_page()
    before = state(page, site)
    override = site.url("/api/sites/T1_US_FNAL/override")
    finding = site.url("/api/findings/c3/acknowledgement")
    undo = site.url("/api/overrides/1/undo")
    release = site.url("/api/quarantine/leaving-1/release")
    for target in (undo, release):
        other.page = FORM.format(url=target).encode()
        page.goto(f"https://127.0.0.1:{other.port}/")
        with page.expect_navigation():
            page.evaluate("document.forms[0].submit()")
        assert page.url == target, "the form was sent"
        assert "403" in page.locator("body").inner_text()
    other.page = b"<!DOCTYPE html><title>other</title>"
    page.goto(f"https://127.0.0.1:{other.port}/")
    said = {}
    for url, methods in (
        (override, "PUT DELETE"),
        (finding, "PUT DELETE"),
        (undo, "POST"),
        (release, "POST"),
    ):
        for method in methods.split():
            for kind in ("", "text/plain", "application/json"):
                for mode in ("cors", "no-cors"):
                    said[url, method, kind, mode] = page.evaluate(FETCH, [url, method, kind, mode])
    # what the browser lets out without asking first is answered, and the answer kept from the page
    assert set(said.values()) <= {"refused by the browser", "opaque 0"}, said
    assert state(page, site) == before
    same = page.request.get(site.url("/api/whoami")).json()
    assert "operator" in same["roles"], "the certificate was sent"

"""A web service that answers with anything but an answer: what is shown stays, and one finding says why."""

import asyncio
import gzip
import json
import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from msgspec import structs

from rcmon.errors import SourceError
from rcmon.model import Snapshot
from tests.collector.steady import Steady
from tests.scripted import Scripted, until
from tests.sources.http.kinds import CASES, SITES, Case, whole
from tests.sources.http.webservice import Say, WebService, answer, serving
from tests.store.made import agent, agent_site

NOW = 1_795_000_000.0
pytestmark = pytest.mark.usefixtures("today")


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let recorded answers be of the tests' own day."""
    monkeypatch.setattr("tests.sources.http.kinds.time.time", lambda: NOW)


def good(case: Case, sites: list[str] = SITES) -> Say:
    async def say(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        await send(writer, answer(whole(case, head, body, sites)))

    return say


async def send(writer: asyncio.StreamWriter, content: bytes) -> None:
    writer.write(content)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


def fixed(make: Callable[[Case, bytes], bytes]) -> Callable[[Case], Say]:
    """Say what is made of a sound body."""

    def of(case: Case) -> Say:
        async def say(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
            await send(writer, make(case, whole(case, head, body)))

        return say

    return of


def hangs(first: bytes) -> Callable[[Case], Say]:
    def of(_case: Case) -> Say:
        async def say(_head: bytes, _body: bytes, writer: asyncio.StreamWriter) -> None:
            writer.write(first)
            await asyncio.Event().wait()

        return say

    return of


def trickles(case: Case) -> Say:
    async def say(head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        for octet in answer(whole(case, head, body)):
            writer.write(bytes([octet]))
            await writer.drain()
            await asyncio.sleep(0.05)

    return say


REMEMBERING = [case for case in CASES if case.remembers]
LOGIN = b"<!doctype html><title>Sign in to CERN</title><form method=post><input name=password></form>"

BROKEN: dict[str, tuple[Callable[[Case], Say], str]] = {
    "500": (fixed(lambda _, __: answer(b"oh", "500 Internal Server Error")), "it answers 500"),
    "503": (fixed(lambda _, __: answer(b"oh", "503 Service Unavailable")), "it answers 503"),
    "401": (fixed(lambda _, __: answer(b"{}", "401 Unauthorized")), "it answers 401"),
    "no content": (fixed(lambda _, __: answer(b"", "204 No Content")), "it answers 204"),
    "login page": (fixed(lambda _, __: answer(LOGIN, media="text/html; charset=utf-8")), "page for people"),
    "login page that calls itself JSON": (fixed(lambda _, __: answer(LOGIN)), "is no JSON"),
    "redirect": (
        fixed(lambda _, __: answer(b"", "302 Found", Location="https://auth.example.org/?hush=1")),
        "redirects (302) to 'auth.example.org'",
    ),
    "nothing": (fixed(lambda _, __: answer(b"")), "is no JSON"),
    "empty": (fixed(lambda case, _: answer(json.dumps(case.empty).encode())), "holds no"),
    "null": (fixed(lambda _, __: answer(b"null")), "not shaped as it should be"),
    "object": (fixed(lambda _, __: answer(b"{}")), "not shaped as it should be"),
    "truncated": (fixed(lambda _, body: answer(body[: len(body) // 2])), "is no JSON"),
    "10 MB of junk": (fixed(lambda _, __: answer(b"\x00\xfe junk" * 1_500_000)), "is no JSON"),
    "10 MB of brackets": (fixed(lambda _, __: answer(b"[" * 10_000_000)), "the answer is no"),
    "not UTF-8": (fixed(lambda _, body: answer(body.replace(b"T2_XX", b"\xff\xfe\xfd"))), "UTF-8"),
    "UTF-16": (fixed(lambda _, body: answer(body.decode().encode("utf-16"))), "is no JSON"),
    "gzip bomb": (
        fixed(lambda _, __: answer(gzip.compress(bytes(40 << 20)), Content_Encoding="gzip")),
        "larger than",
    ),
    "cut gzip": (
        fixed(lambda _, body: answer(gzip.compress(body)[:-30], Content_Encoding="gzip")),
        "in the middle of its gzip",
    ),
    "no gzip": (fixed(lambda _, body: answer(body, Content_Encoding="gzip")), "is no gzip"),
    "cut in its middle": (
        fixed(lambda _, body: answer(body)[: -len(body) // 2]),
        "without sending complete message",
    ),
    "cut before it begins": (fixed(lambda _, __: b""), "disconnected"),
    "another protocol": (fixed(lambda _, __: b"\x16\x03\x01\x02\x00\x01" * 50), "as HTTP asks"),
    "endless head": (fixed(lambda _, __: b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000), "as HTTP asks"),
    "no head": (hangs(b""), "answer within"),
    "half a head": (hangs(b"HTTP/1.1 200 OK\r\nContent-"), "answer within"),
    "no body": (hangs(answer(b"x" * 100)[:-100]), "answer within"),
    "body that trickles": (trickles, "answer within"),
}
"""How a service breaks, and what is said of it."""


async def poll_broken(
    case: Case, web: WebService, ca: Path | None, breaks: Callable[[], None], *, hangs: bool
) -> tuple[Snapshot, Snapshot]:
    """Poll a sound service, break it, and poll again, beside another source."""
    source = case.make(web.url, ca)
    other = Scripted("other", lambda now: [agent("a", [agent_site("T2_XX_Site01")], polled_at=now)])
    cycle = Steady([source, other], 3600.0, 36_000.0)
    try:
        before = await cycle.run_once(NOW)
        assert before.sources[0].error is None
        breaks()
        if hangs:
            source.timeout = 1.0  # type: ignore[misc]
        after = await cycle.run_once(NOW + 60)
        await until(lambda: web.open == 0)
    finally:
        await cycle.close()
    return before, after


def assert_nothing_but_a_word(
    before: Snapshot, after: Snapshot, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert before.given["s"] == after.given["s"]
    assert structs.replace(after.agents["a"], polled_at=0) == structs.replace(before.agents["a"], polled_at=0)
    assert after.sites == before.sites
    failing, other = after.sources
    assert (failing.up, failing.stale, failing.last_success) == (False, True, NOW)
    assert (other.up, other.stale, other.error) == (True, False, None)
    error = str(failing.error)
    assert told in error
    # on a busy machine the poll's own time may be up first
    assert error.startswith(
        "cannot use http" if told != "answer within" else ("cannot use http", "no answer")
    )
    assert "\n" not in error
    assert "hush" not in error
    (finding,) = set(after.findings) - set(before.findings)
    assert (finding.kind, finding.count) == ("source_failing", 1)
    assert error in finding.message
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.getMessage() == f"source s fails: {error}"
    assert not record.exc_info


@pytest.mark.parametrize("way", BROKEN)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_what_is_shown_stays(case: Case, way: str, caplog: pytest.LogCaptureFixture) -> None:
    breaking, told = BROKEN[way]
    async with serving(good(case)) as web:

        def breaks() -> None:
            web.say = breaking(case)

        shown = await poll_broken(case, web, None, breaks, hangs=told == "answer within")
    assert_nothing_but_a_word(*shown, told, caplog)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_another_certificate(case: Case, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with serving(good(case), context) as web:

        def breaks() -> None:
            other.issue_cert("127.0.0.1").configure_cert(context)

        shown = await poll_broken(case, web, tmp_path / "ca", breaks, hangs=False)
    assert_nothing_but_a_word(*shown, "its certificate is not believed", caplog)


@pytest.mark.parametrize("case", REMEMBERING, ids=lambda case: case.name)
async def test_half_of_the_sites_gone(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(good(case)) as web:

        def breaks() -> None:
            web.say = good(case, SITES[:10])

        shown = await poll_broken(case, web, None, breaks, hangs=False)
    assert_nothing_but_a_word(*shown, "are gone at once", caplog)


@pytest.mark.parametrize("case", REMEMBERING, ids=lambda case: case.name)
async def test_what_lasts_is_believed_and_what_comes_back_is_welcome(case: Case) -> None:
    async with serving(good(case)) as web:
        source: Any = case.make(web.url, None)
        first = (await source.poll(NOW)).upstream
        web.say = good(case, SITES[:10])
        refused = 0
        while (said := await refusal(source)) is not None:
            refused += 1
            assert f"number {refused}" in said
        assert refused == 10
        web.say = good(case)
        assert (await source.poll(NOW)).upstream == first


async def refusal(source: Any) -> str | None:
    try:
        await source.poll(NOW)
    except SourceError as error:
        return str(error)
    return None

"""Asking a web service: within bounds, with our credentials; of an error only one line comes back."""

import asyncio
import gzip
import json
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from rcmon.errors import ConfigError, SourceError
from rcmon.sources.http import HTTPConfig, HTTPService, json_of
from rcmon.sources.http.body import MOST
from tests.scripted import until
from tests.sources.http.webservice import WebService, answer, saying, serving, zipped

GOOD = b'{"good": 1}'


def read(content: bytes) -> dict[str, Any]:
    return json_of(content, dict[str, Any])


def service_of(web: WebService | str, **settings: Any) -> HTTPService:
    url = web if isinstance(web, str) else web.url
    return HTTPService(HTTPConfig(name="s", url=url, **settings))


async def get(service: HTTPService, seconds: float = 20.0) -> dict[str, Any]:
    async with service.asking(seconds) as asking:
        return await asking.get("/path?x=1", read)


async def test_a_document_is_read() -> None:
    async with serving(saying(answer(GOOD), zipped(GOOD))) as web:
        service = service_of(web.url + "/base/")
        assert [await get(service), await get(service)] == [{"good": 1}] * 2
    assert web.heads[0].startswith(b"GET /base/path?x=1 HTTP/1.1\r\n")
    assert b"Accept-Encoding: gzip\r\n" in web.heads[0]
    assert b"Authorization" not in web.heads[0]


async def test_the_token_is_read_anew_for_each_poll(tmp_path: Path) -> None:
    token = tmp_path / "token"
    async with serving(saying(answer(GOOD))) as web:
        service = service_of(web, token_file=token)
        for text in ("one\n", "Bearer two\n"):
            token.write_text(text)
            await get(service)
        for wrong in ("", "two words", "snow\N{SNOWMAN}", "a\nb"):
            token.write_text(wrong)
            with pytest.raises(SourceError, match="holds no token") as caught:
                await get(service)
            assert not wrong or wrong not in str(caught.value)
    assert [head.count(b"Authorization: Bearer one\r\n") for head in web.heads] == [1, 0]
    assert b"Authorization: Bearer two\r\n" in web.heads[1]


async def test_what_is_unchanged_is_not_read_again() -> None:
    answers = answer(GOOD, ETag='"1"'), answer(status="304 Not Modified"), answer(b"{}"), answer(GOOD)
    async with serving(saying(*answers)) as web:
        service = service_of(web)
        assert [await get(service) for _ in range(4)] == [{"good": 1}, {"good": 1}, {}, {"good": 1}]
    asked = [b'If-None-Match: "1"\r\n' in head for head in web.heads]
    assert asked == [False, True, True, False]


async def test_a_document_that_cannot_be_read_is_never_kept() -> None:
    async with serving(saying(answer(b"{", ETag='"1"'), answer(GOOD))) as web:
        service = service_of(web)
        with pytest.raises(SourceError, match="no JSON"):
            await get(service)
        assert await get(service) == {"good": 1}
    assert b"If-None-Match" not in web.heads[1]


async def test_nobody_says_unchanged_who_was_not_asked() -> None:
    async with serving(saying(answer(status="304 Not Modified"))) as web:
        with pytest.raises(SourceError, match="it answers 304 Not Modified"):
            await get(service_of(web))


@pytest.mark.parametrize("status", ["429 Too Many Requests", "502 Bad Gateway", "503 Service Unavailable"])
async def test_what_may_pass_is_tried_again(status: str) -> None:
    async with serving(saying(answer(status=status), answer(status=status), answer(GOOD))) as web:
        assert await get(service_of(web)) == {"good": 1}
    async with serving(saying(answer(status=status))) as web:
        with pytest.raises(SourceError, match=f"it answers {status}$"):
            await get(service_of(web))
    assert len(web.heads) == 3


@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "404 Not Found", "500 Oh No"])
async def test_what_does_not_pass_is_not_tried_again(status: str) -> None:
    async with serving(saying(answer(status=status))) as web:
        with pytest.raises(SourceError, match=f"it answers {status[:3]} "):
            await get(service_of(web))
    assert len(web.heads) == 1


async def test_little_that_becomes_much_is_cut_short() -> None:
    bomb = gzip.compress(bytes(MOST + 1))
    async with serving(saying(answer(bomb, Content_Encoding="gzip"))) as web:
        with pytest.raises(SourceError, match=f"larger than {MOST} octets"):
            await get(service_of(web))


async def test_much_is_not_read_to_its_end() -> None:
    sent = 0

    async def pour(_head: bytes, _body: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(1 << 20))
            sent += 1 << 20
            await writer.drain()

    async with serving(pour) as web:
        with pytest.raises(SourceError, match=f"larger than {MOST} octets"):
            await get(service_of(web))
        await until(lambda: web.open == 0)
    assert sent < 3 * MOST


@pytest.mark.parametrize("coding", ["br", "gzip, gzip", "zstd"])
async def test_a_coding_that_was_not_asked_for_is_refused(coding: str) -> None:
    async with serving(saying(answer(GOOD, Content_Encoding=coding))) as web:
        with pytest.raises(SourceError, match="asked for was gzip"):
            await get(service_of(web))


async def test_a_poll_that_is_cancelled_ends_at_once_and_leaves_nothing() -> None:
    async def hang(_head: bytes, _body: bytes, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving(hang) as web:
        service = service_of(web)
        task = asyncio.create_task(get(service, 1000))
        await until(lambda: len(web.heads) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: web.open == 0)
        web.say = saying(answer(GOOD))
        assert await get(service) == {"good": 1}


async def test_a_service_that_is_closed_is_not_waited_for() -> None:
    async def hang(_head: bytes, _body: bytes, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving(hang) as web:
        service = service_of(web)
        task = asyncio.create_task(get(service, 1000))
        await until(lambda: len(web.heads) == 1)
        await service.close()
        await until(lambda: web.open == 0)
        task.cancel()
        await asyncio.wait({task})


async def test_who_asks_for_a_certificate_gets_it_and_who_is_not_believed_gets_nothing(
    tmp_path: Path,
) -> None:
    authority, other = trustme.CA(), trustme.CA()
    ours = authority.issue_cert("rcmon.example.org")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.cert_pem.write_to_path(tmp_path / "ca")
    other.cert_pem.write_to_path(tmp_path / "other")
    ours.private_key_and_cert_chain_pem.write_to_path(tmp_path / "proxy")
    async with serving(saying(answer(GOOD)), context) as web:
        assert await get(service_of(web, ca=tmp_path / "ca", cert=tmp_path / "proxy")) == {"good": 1}
        with pytest.raises(SourceError, match=r"no TLS with it|cut|no connection|disconnected"):
            await get(service_of(web, ca=tmp_path / "ca"))
        heads = len(web.heads)
        for ca in (tmp_path / "other", None):
            with pytest.raises(SourceError, match="its certificate is not believed") as caught:
                await get(service_of(web, ca=ca, cert=tmp_path / "proxy"))
            assert "\n" not in str(caught.value)
        wrong = web.url.replace("127.0.0.1", "localhost")
        with pytest.raises(SourceError, match="its certificate is not believed"):
            await get(service_of(wrong, ca=tmp_path / "ca", cert=tmp_path / "proxy"))
    assert len(web.heads) == heads


async def test_nobody_there() -> None:
    async with serving(saying(b"")) as web:
        pass
    with pytest.raises(SourceError, match=r"^cannot use http://127.0.0.1:\d+: no connection: Connection ref"):
        await get(service_of(web))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://cric.example.org", "plain http, which is for this machine itself"),
        ("http://127.0.0.1.example.org", "plain http"),
        ("http://10.0.0.1", "plain http"),
        ("ftp://host", "the scheme 'ftp'"),
        ("host", "the scheme ''"),
        ("https://", "the host ''"),
        ("https://me:hush@host", "holds a user or password"),
        ("https://hush@host", "holds a user or password"),
        ("https://host/?token=hush", "holds a query"),
        ("https://host:hush", "not a URL"),
        ("https://host\n/hush", "not a URL"),
    ],
)
def test_an_address_that_cannot_be_used_is_told_without_secrets(url: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        service_of(url)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://localhost:1", "http://127.9.9.9", "http://[::1]:1", "https://host/a"]
)
def test_an_address_that_can_be_used(url: str) -> None:
    service_of(url)


def test_files_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("hush")
    for settings, told in [
        ({"ca": tmp_path / "file"}, "no certificate or key can be read"),
        ({"cert": tmp_path / "file"}, "no certificate or key can be read"),
        ({"key": tmp_path / "file"}, "key is given without cert"),
        ({"ca": tmp_path / "nowhere"}, "a file cannot be read: No such file"),
    ]:
        with pytest.raises(ConfigError, match=told):
            service_of("https://host", **settings)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b"[1]", "not shaped as it should be"),
        (b'{"a": "\xff"}', "no text in UTF-8"),
        (b'{"a": "\\ud800"}', "no JSON"),
        (b"[" * 100_000, "no"),
        (b'{"a": ' + b"[" * 100_000, "no JSON"),
        (json.dumps({"a": 1}).encode("utf-16"), "no"),
    ],
)
def test_what_is_no_json_is_told(content: bytes, told: str) -> None:
    with pytest.raises(SourceError, match=told):
        json_of(content, dict[str, Any])

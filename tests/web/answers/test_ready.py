"""Ready bytes: one content in every coding, told apart by strong ETags, kept only deflated if large."""

import gzip
from random import Random

import pytest

from rcmon.documents import keys
from rcmon.documents.keys import METRICS_TEXT
from rcmon.errors import StoreCorruptError
from rcmon.model import Document
from rcmon.render import render
from rcmon.web.answers.negotiation import codings
from rcmon.web.answers.ready import CHUNK, KEPT, Fresh, Kept, Ready, Variant, matches
from tests.web.grid import make_snapshot

NOISE = Random(1).randbytes(3000).hex().encode()


@pytest.fixture(scope="module")
def rendered() -> dict[str, Document]:
    return {document.key: document for document in render(make_snapshot())}


def chosen(ready: Ready, accepted: str | None) -> Variant:
    variant = ready.choose(codings(accepted))
    assert variant is not None
    return variant


def body(variant: Variant) -> bytes:
    assert variant.parts is not None
    whole = b"".join(variant.parts)
    assert len(whole) == variant.size
    assert f"Content-Length: {len(whole)}\r\n".encode() in variant.ok
    return whole


def test_both_codings_hold_the_same() -> None:
    ready = Ready(Fresh(NOISE), "text/plain")
    plain, packed = chosen(ready, None), chosen(ready, "gzip")
    assert body(plain) == NOISE == gzip.decompress(body(packed))
    assert b"Content-Encoding" not in plain.ok
    assert b"Content-Encoding: gzip\r\n" in packed.ok


def test_etags_differ_by_coding_and_content_and_are_strong() -> None:
    one, other = Ready(Fresh(NOISE), "text/plain"), Ready(Fresh(NOISE + b"."), "text/plain")
    tags = [chosen(ready, accepted).etag for ready in (one, other) for accepted in (None, "gzip")]
    assert len(set(tags)) == 4
    assert all(tag.startswith('"') and tag.endswith('"') for tag in tags)


def test_every_head_says_what_it_depends_on() -> None:
    ready = Ready(Fresh(NOISE), "text/plain", vary="Accept, Accept-Encoding", fields=(("X-Own", "1"),))
    variant = chosen(ready, "gzip")
    for head in (variant.ok, variant.unchanged):
        assert b"Vary: Accept, Accept-Encoding\r\n" in head
        assert b"Cache-Control: private, no-cache\r\n" in head
        assert f"ETag: {variant.etag}\r\n".encode() in head
        assert b"Server: rcmon\r\n" in head
        assert b"X-Content-Type-Options: nosniff\r\n" in head
        assert head.endswith(b"\r\n")
        assert not head.endswith(b"\r\n\r\n")
    assert variant.ok.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Type: text/plain\r\nX-Own: 1\r\n" in variant.ok
    assert variant.unchanged.startswith(b"HTTP/1.1 304 Not Modified\r\n")
    assert b"Content-" not in variant.unchanged.replace(b"X-Content-Type-Options", b"")


def test_a_small_body_is_not_compressed_unless_identity_is_refused() -> None:
    ready = Ready(Fresh(b"small"), "text/plain")
    assert body(chosen(ready, "gzip")) == b"small"
    assert gzip.decompress(body(chosen(ready, "gzip, identity;q=0"))) == b"small"
    assert ready.choose(codings("identity;q=0")) is None


def test_each_form_is_made_once() -> None:
    ready = Ready(Fresh(NOISE), "text/plain")
    assert ready.choose(codings("gzip")) is ready.choose(codings("br, gzip"))


@pytest.mark.parametrize("tail", [b"", b"rcmon_own 1\n" * 50])
def test_a_document_takes_a_tail_in_both_codings(rendered: dict[str, Document], tail: bytes) -> None:
    ready = Ready(Kept(rendered[METRICS_TEXT], tail), "text/plain")
    streamed = b"".join(ready.body.chunks())
    assert streamed == gzip.decompress(body(chosen(ready, "gzip")))
    assert streamed.endswith(tail)
    assert len(streamed) == ready.body.size == chosen(ready, None).size
    assert all(len(chunk) <= CHUNK for chunk in ready.body.chunks())


def test_a_tail_changes_the_etag(rendered: dict[str, Document]) -> None:
    document = rendered[METRICS_TEXT]
    tags = {chosen(Ready(Kept(document, tail), "text/plain"), None).etag for tail in (b"", b"a\n", b"b\n")}
    assert len(tags) == 3


def test_a_large_document_is_never_held_inflated(rendered: dict[str, Document]) -> None:
    large, small = rendered[keys.SITES], rendered[keys.AGENTS]
    assert large.size > KEPT > small.size
    assert chosen(Ready(Kept(large), "application/json"), None).parts is None
    assert body(chosen(Ready(Kept(small), "application/json"), None)).endswith(b"\n")


def test_the_packed_bytes_are_shared_with_the_document(rendered: dict[str, Document]) -> None:
    document = rendered[METRICS_TEXT]
    parts = chosen(Ready(Kept(document, b"tail\n"), "text/plain"), "gzip").parts
    assert parts is not None
    assert parts[1] is document.body


def test_a_damaged_document_is_noticed(rendered: dict[str, Document]) -> None:
    whole = rendered[keys.SITES]
    damaged = Document(whole.key, whole.media_type, whole.body, whole.size, whole.crc32 ^ 1, whole.digest)
    with pytest.raises(StoreCorruptError, match="damaged"):
        list(Kept(damaged).chunks())


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (None, False),
        ("", False),
        ("*", True),
        (" * ", True),
        ('"abc"', True),
        ('W/"abc"', True),
        ('"x", "abc" ,"y"', True),
        ('"abc-gz"', False),
        ('"xabc"', False),
        ("abc", False),
    ],
)
def test_if_none_match(field: str | None, expected: bool) -> None:
    assert matches(field, '"abc"') is expected

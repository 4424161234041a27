"""A document leaves as one strict gzip member, with or without a worker's own tail."""

import gzip
import subprocess
import tarfile
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rcmon.documents.deflated import (
    GZIP_HEADER,
    OpenEnded,
    Summed,
    complete,
    deflated_part,
    gzip_end,
    inflate,
    inflate_chunks,
)
from rcmon.errors import StoreCorruptError
from rcmon.model import Document

TAIL = b"# TYPE rcmon_build_info gauge\nrcmon_build_info 1\n"


def open_ended(*parts: bytes) -> Document:
    document = OpenEnded("metrics.text", "text/plain")
    for part in parts:
        document.count(Summed.of(part))
        document.append(deflated_part(part))
    return document.document()


def gzipped(document: Document, tail: bytes = b"") -> bytes:
    """Put the member together as a worker does, which writes its pieces one after the other."""
    return GZIP_HEADER + document.body + gzip_end(document, tail)


def strict_gunzip(data: bytes) -> bytes:
    """One member, nothing behind it, checksum and size right (zlib checks both)."""
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    plain = inflater.decompress(data) + inflater.flush()
    assert inflater.eof
    assert not inflater.unused_data
    return plain


@given(st.lists(st.binary(max_size=300), max_size=5), st.binary(max_size=300))
def test_parts_and_tail_are_one_gzip_member(parts: list[bytes], tail: bytes) -> None:
    document = open_ended(*parts)
    plain = b"".join(parts)
    assert strict_gunzip(gzipped(document, tail)) == plain + tail
    assert gzip.decompress(gzipped(document, tail)) == plain + tail
    assert strict_gunzip(gzipped(document)) == plain
    assert inflate(document) == plain


@given(st.binary(max_size=2000), st.integers(1, 5000))
def test_a_complete_document_round_trips(plain: bytes, size: int) -> None:
    document = complete("sites", "application/json", plain, {})
    assert strict_gunzip(gzipped(document)) == plain
    chunks = list(inflate_chunks(document, size))
    assert b"".join(chunks) == plain
    assert all(0 < len(chunk) <= size for chunk in chunks)


@pytest.mark.parametrize("size", [1, 2, 257, 258, 259, 32768, 10**7])
def test_chunks_lose_nothing_of_very_compressible_text(size: int) -> None:
    """A full chunk can leave output inside zlib although it has taken all its input."""
    plain = b"a" * 1000 + b"0" * (20_000 if size < 257 else 3_000_000)
    for document in (open_ended(plain, b"end"), complete("sites", "application/json", plain + b"end", {})):
        assert b"".join(inflate_chunks(document, size)) == plain + b"end"


def test_a_complete_document_takes_no_tail() -> None:
    document = complete("sites", "application/json", b"{}\n", {})
    with pytest.raises(ValueError, match="'sites' is complete"):
        gzip_end(document, b"more")


@pytest.mark.alone
def test_inflating_costs_kilobytes() -> None:
    lines = b"".join(
        b'rcmon_site_running_jobs{site="T2_%07d"} %d\n' % (n, n * 7919 % 1000) for n in range(200_000)
    )
    document = open_ended(lines)
    del lines
    tracemalloc.start()
    try:
        assert sum(len(chunk) for chunk in inflate_chunks(document)) == document.size
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert document.size > 8_000_000
    assert peak < 300_000


def damaged() -> dict[str, Document]:
    whole = complete("sites", "application/json", b'{"sites":[1,2,3]}' * 20, {})
    parts = open_ended(b"one", b"two")
    return {
        "truncated": replace(whole, body=whole.body[:-3]),
        "truncated open": replace(parts, body=parts.body[:-7]),
        "no deflate": replace(whole, body=b"\xff" * 20),
        "wrong size": replace(whole, size=whole.size + 1),
        "wrong checksum": replace(whole, crc32=whole.crc32 ^ 1),
        "bytes behind the end": replace(whole, body=whole.body + b"x"),
        "complete, said to be open": replace(whole, open_ended=True),
        "open, said to be complete": replace(parts, open_ended=False),
    }


@pytest.mark.parametrize("fault", damaged())
def test_a_damaged_document_is_refused_by_name(fault: str) -> None:
    document = damaged()[fault]
    with pytest.raises(StoreCorruptError, match=document.key):
        inflate(document)


def test_gzip_command_accepts_it(documents: dict[str, Document], gzip_command: str) -> None:
    for document in documents.values():
        tail = TAIL if document.open_ended else b""
        joined = gzipped(document, tail)
        result = subprocess.run(
            [gzip_command, "-dc"], input=joined, capture_output=True, check=True, timeout=30
        )
        assert result.stdout == inflate(document) + tail
        assert result.stderr == b""


@pytest.fixture
def server(documents: dict[str, Document]) -> Iterator[str]:
    """A plain HTTP server that answers any path with the text exposition, gzip only."""
    body = gzipped(documents["metrics.text"], TAIL)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert "gzip" in self.headers["Accept-Encoding"]
            self.send_response(200)
            self.send_header("Content-Type", documents["metrics.text"].media_type)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def test_curl_accepts_it(documents: dict[str, Document], server: str, curl: str) -> None:
    command = [
        curl,
        "--silent",
        "--show-error",
        "--fail",
        "--compressed",
        "--noproxy",
        "*",
        f"{server}/metrics",
    ]
    result = subprocess.run(command, capture_output=True, check=True, timeout=300)
    assert result.stdout == inflate(documents["metrics.text"]) + TAIL


def test_go_accepts_it(documents: dict[str, Document], server: str, promtool: str, tmp_path: Path) -> None:
    """Go's gzip reader, as Prometheus uses it, is strict about the trailer."""
    command = [promtool, "debug", "metrics", server]
    subprocess.run(command, capture_output=True, check=True, timeout=300, cwd=tmp_path, env={"no_proxy": "*"})
    with tarfile.open(tmp_path / "debug.tar.gz") as archive:
        fetched = archive.extractfile(archive.getnames()[0])
        assert fetched is not None
        assert fetched.read() == inflate(documents["metrics.text"]) + TAIL
